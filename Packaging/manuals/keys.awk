# Turns Documentation/edge-agent.yaml, the annotated file of all keys, into a list for edge-agent.yaml(5), so that each
# key is described in one place only. Comments belong to the key below them; "word  what it means" is an item of a list.

function text(line) {
    gsub(/\\/, "\\e", line)
    if (line ~ /^[.']/) line = "\\\\&" line
    return line
}

function endItems() {
    if (inItems) print ".El"
    inItems = 0
}

function describe(   i, line, word) {
    inItems = 0
    for (i = 1; i <= count; i++) {
        line = comment[i]
        if (match(line, /^[A-Za-z0-9]+  +/)) {
            if (!inItems) print ".Bl -tag -width synthetic -compact"
            inItems = 1
            word = line
            sub(/ .*/, "", word)
            print ".It Li " word
            line = substr(line, RLENGTH + 1)
        } else if (line !~ /^ /) {
            endItems()
        }
        sub(/^ +/, "", line)
        print text(line)
    }
    endItems()
    count = 0
}

# The file's own head ends at the first empty line.
NF == 0 { started = 1; count = 0; next }
!started { next }

{
    line = $0
    match(line, /^ */)
    indent = RLENGTH
    line = substr(line, indent + 1)
    # The item of a list lies two columns further in.
    if (line ~ /^- /) {
        isItem[indent] = 1
        indent += 2
        line = substr(line, 3)
    }
}

line ~ /^#/ {
    sub(/^# ?/, "", line)
    comment[++count] = line
    next
}

{
    key = value = line
    sub(/:.*/, "", key)
    sub(/^[^:]*: ?/, "", value)
    # A key of a list's item hangs from the list's own key, two columns out and its dash.
    path = ""
    for (i = 0; i < indent; i += 2) {
        if (isItem[i] && (i in at)) delete at[i]
        if (i in at) path = path at[i] (isItem[i + 2] ? "[]." : ".")
    }
    at[indent] = key
    for (i in at) if (i + 0 > indent) delete at[i]
    for (i in isItem) if (i + 0 >= indent) delete isItem[i]
    if (!begun++) print ".Bl -tag -width Ds"
    line = text(path key (value == "" ? "" : ": " value))
    gsub(/"/, "\\(dq", line)
    print ".It Li \"" line "\""
    describe()
}

END { print ".El" }
