{% include "cause.sh" %}

# Runs a command; if it fails, so does the deployment, with what the command printed, and says why in its last line.
must() {
    local problem=$1
    shift
    if ! "$@" >"$output" 2>&1; then
        cat "$output"
        fail "$problem: $(cause "$output")"
    fi
}
