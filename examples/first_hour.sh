#!/bin/sh
# The first hour with ZeroCloud: a cluster, a program made and deployed, a map/reduce, a notebook, the console.
#
#     pip install -e . ziglang ipython
#     examples/first_hour.sh [FOLDER]
#
# works in FOLDER (./first-hour), which it makes, and stops the cluster when it ends. Read it, and type along.
set -eu
examples=$(cd "$(dirname "$0")" && pwd)
folder=${1:-first-hour}
mkdir "$folder"
cd "$folder"

say() { printf '\n== %s\n' "$*"; }

say "A cluster of our own: a real Swift with four storage nodes"
export ZEBRA_DIR="$PWD/play"
trap 'zebra down --destroy' EXIT
zebra up --detach
variables=$(zebra env)
eval "$variables"

say "A program from a template, edited, and run on this machine without any cluster"
zpm new hello --template c
cd hello
sed 's/Hello/Good morning/' main.c > edited.c
mv edited.c main.c
zapp run --quiet

say "Bundled, run on the cluster, deployed there, and run from where it is"
zpm bundle
zpm execute hello.zapp
zpm deploy apps hello.zapp
zpm execute --container apps --summary
cd ..

say "Map/reduce: words counted where the objects lie, their sums streamed to two nodes"
zerocloud cc -O2 "$examples/word_count_c/count.c" -o count.wasm
swift upload --quiet programs count.wasm
for page in zebra console client; do
    swift upload --quiet books "$examples/../doc/$page.md" --object-name "$page.md"
done
cat > words.json <<'END'
[
    {
        "name": "count",
        "exec": {"path": "swift://~/programs/count.wasm"},
        "devices": [{"name": "stdin", "path": "swift://~/books/*.md"}],
        "connect": ["add"]
    },
    {
        "name": "add",
        "exec": {"path": "swift://~/programs/count.wasm", "args": "up"},
        "count": 2,
        "devices": [{"name": "stdout", "content_type": "text/plain"}]
    }
]
END
zerocloud explain words.json --cluster
zerocloud run words.json --summary --output words.txt
sort -rn words.txt | sed 5q

say "The same from a notebook"
python "$examples/first_hour_cells.py" "$examples/first_hour.ipynb"

say "What was run, and the console, where all of this can be seen and done with a mouse"
zerocloud job list
console=${ST_AUTH%/auth/v1.0}/console/
curl -fsS --noproxy '*' "$console" > console.html
for asset in $(sed -nE 's/.*(src|href)="([^":#]+)".*/\2/p' console.html); do
    curl -fsS --noproxy '*' -o asset "$console$asset"
    echo "$console$asset: $(wc -c < asset) bytes"
done
echo "Open $console and sign in as $ST_USER with the key $ST_KEY."

if [ -t 0 ]; then
    printf '\nEnter stops the cluster and removes it. '
    read -r _
fi
say "The end"
