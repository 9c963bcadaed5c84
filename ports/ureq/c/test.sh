#!/bin/sh
# Builds libsmoothcore_ureq.a and one C program of it and the core's archive, and runs that program.
#   test.sh LIBSMOOTHCORE.a [HEADER]
# Environment: CARGO_TARGET_DIR. HTTPS is tried when there is an openssl command to serve it.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
core=$1 header=${2:-$root/include/smoothcore.h}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

echo "ureq beside $core"
cargo build --quiet --locked --release --manifest-path "$here/Cargo.toml"
port=${CARGO_TARGET_DIR:-$here/../target}/release/libsmoothcore_ureq.a
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra -Werror -I$(dirname "$header") -I$here"
# In either order: neither archive needs the other.
for order in "$core $port" "$port $core"; do
    cc $flags "$here/test.c" $order -lpthread -lm -ldl -o "$work/test"
done
${CXX:-c++} -std=c++11 -Wall -Wextra -Werror -I"$(dirname "$header")" -fsyntax-only -x c++ "$here/smoothcore_ureq.h" \
    2>"$work/log" || { grep -v 'pragma once' "$work/log"; exit 1; }

https=
if command -v openssl >/dev/null; then
    cd "$work"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ca.key -out ca.pem \
        -subj /CN=authority -addext basicConstraints=critical,CA:TRUE 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out leaf.csr \
        -subj /CN=localhost 2>/dev/null
    printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >leaf.cnf
    openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.cnf \
        -out leaf.pem 2>/dev/null
    openssl s_server -accept 127.0.0.1:0 -cert leaf.pem -key key.pem -www >server.log 2>&1 &
    server=$!
    n=0
    while ! grep -q '^ACCEPT 127' server.log && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
    tcp=$(sed -n 's/^ACCEPT 127.0.0.1:\([0-9]*\).*/\1/p' server.log)
    https="https://localhost:$tcp/ $work/ca.pem"
else
    echo "  --    HTTPS: not tried, no openssl command"
fi
"$work/test" $https
