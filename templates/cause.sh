# The last line of what a failed command printed; of an image that does not build, the last line of the failed step.
cause() {
    awk '/^------$/ { step = !step; next }
        NF { last = $0; if (step) why = $0 }
        END { sub(/^[0-9.]+ +/, "", why); print why ? why : last }' "$1"
}
