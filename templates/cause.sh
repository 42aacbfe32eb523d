# The last line of what a failed command printed; of an image that does not build, the last line of the failed step.
cause() {
    awk '/^------$/ { step = !step; next }
        { line = $0; if (step) sub(/^[0-9.]+ */, "", line) }
        line ~ /[^ ]/ { last = line; if (step) why = line }
        END { print why ? why : last }' "$1"
}
