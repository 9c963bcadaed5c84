# What the scripts of this folder share, to be sourced. $work is a scratch folder, $root the repository.

# Builds a C program over the POSIX port: build_c SOURCE OUTPUT
build_c() {
    TARGET=${HOST_TARGET:-x86_64-unknown-linux-gnu}
    . "$root/ports/packaging/targets.sh"
    version=$(awk -F'"' '/^version = / { print $2; exit }' "$root/Cargo.toml")
    archive=$root/dist/smoothcore-$version-$TARGET/lib
    [ -f "$archive/libsmoothcore.a" ] || { echo "no archive: run 'make dist'" >&2; exit 1; }
    "$CC" -O2 -Wall -Wextra -I"$root/include" -I"$root/ports" "$1" "$root/ports/posix/alloc.c" \
        "$root/ports/posix/clock.c" "$root/ports/posix/streams.c" "$root/ports/posix/source.c" "$root/ports/posix/sink.c" \
        -L"$archive" -lsmoothcore -o "$2"
}

build_player() { build_c "$root/examples/c/player.c" "$work/player"; }

# Makes one presentation with FFmpeg: levels of pictures, one tone.
#   make_content DIR SECONDS BITRATE...
# DIR gets level_0.mp4 and so on, tone.mp4, and asset.ism with the Manifest and the fragments as FFmpeg lays them out.
#
# FFmpeg's manifest tells no times, so a player counts from 0, but its fragments are named after the first picture
# shown. They are the same only without bidirectional pictures, and when the silence an AAC encoder starts with is not
# cut away by the edit list, which moves every track. Times that start elsewhere are a 404 for every client.
make_content() {
    dir=$1 seconds=$2
    shift 2
    mkdir -p "$dir"
    inputs= maps= n=0
    for bitrate; do
        height=$((180 * (n + 1)))
        ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi \
            -i "testsrc2=size=$((height * 16 / 9))x$height:rate=25:duration=$seconds,noise=alls=10:allf=t" \
            -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 50 -keyint_min 50 -sc_threshold 0 \
            -b:v "$bitrate" -maxrate "$bitrate" -bufsize "$bitrate" "$dir/level_$n.mp4"
        inputs="$inputs -i $dir/level_$n.mp4" maps="$maps -map $n:v"
        n=$((n + 1))
    done
    ffmpeg -hide_banner -loglevel error -nostdin -y -f lavfi \
        -i "sine=frequency=330:sample_rate=48000:duration=$seconds" -ac 2 -c:a aac -b:a 96k "$dir/tone.mp4"
    rm -rf "$dir/asset.ism"
    ffmpeg -hide_banner -loglevel error -nostdin -y $inputs -ignore_editlist 1 -i "$dir/tone.mp4" $maps \
        -map "$n:a" -c copy -f smoothstreaming -min_frag_duration 2000000 "$dir/asset.ism"
}

# Serves DIR by nginx on a port of the loopback interface: sets PORT and NGINX.
#   start_nginx DIR
start_nginx() {
    command -v nginx >/dev/null || PATH=$PATH:/usr/sbin
    run=$work/nginx
    mkdir -p "$run"
    # Started by root, its worker could not read the scratch folder as nobody.
    user=
    [ "$(id -u)" != 0 ] || user="user root;"
    PORT=$((20000 + $$ % 20000))
    for attempt in 1 2 3 4 5 6 7 8; do
        PORT=$((PORT + attempt * 7))
        cat >"$run/nginx.conf" <<END
$user
daemon off;
worker_processes 1;
pid $run/pid;
error_log $run/error.log warn;
events { worker_connections 128; }
http {
    access_log $run/access.log;
    client_body_temp_path $run/body; proxy_temp_path $run/proxy; fastcgi_temp_path $run/fastcgi;
    uwsgi_temp_path $run/uwsgi; scgi_temp_path $run/scgi;
    sendfile on;
    keepalive_requests 100000;
    default_type video/mp4;
    server {
        listen 127.0.0.1:$PORT;
        root $1;
        location ~ /Manifest\$ { default_type text/xml; }
    }
}
END
        nginx -p "$run" -e "$run/error.log" -c "$run/nginx.conf" 2>>"$run/stderr" &
        NGINX=$!
        for wait in 1 2 3 4 5 6 7 8 9 10; do
            sleep 0.1
            # Our own, and not somebody else's on this port: the pid file is written once it listens.
            if [ -s "$run/pid" ]; then return 0; fi
            kill -0 "$NGINX" 2>/dev/null || break
        done
        wait "$NGINX" 2>/dev/null || true
    done
    cat "$run/stderr" >&2
    echo "nginx does not start" >&2
    exit 1
}

stop_nginx() {
    [ -z "${NGINX:-}" ] || { kill "$NGINX" 2>/dev/null && wait "$NGINX" 2>/dev/null || true; }
    NGINX=
}
