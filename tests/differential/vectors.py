#!/usr/bin/env python3
"""Compares what smoothcore reads in other projects' test files with what those projects expect, field by field.

  SMOOTHCORE_VECTORS=DIR NODE_PATH=... vectors.py BIN     BIN is bin/smoothcore

DIR holds dash.js, rx-player and yt-dlp, as those projects keep their test data; nothing of it is needed by, or part of, this
project. For rx-player the expectations are its own *.expected.json; for dash.js and yt-dlp, what their parsers say (dash.js by
peers.js, as in run.sh; yt-dlp by the Python package yt-dlp); for fragments, what mp4box says (fragments.js). One line a file:
OK, or every difference; one in CHOICES is explained, any other fails.
"""
import http.server, json, os, re, subprocess, sys, threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIR = Path(os.environ["SMOOTHCORE_VECTORS"])
BIN = sys.argv[1]

# How a difference begins, and why it is right.
CHOICES = {
    "end:": "a presentation ends with its last stream here; rx-player ends it with the first that does",
    "language: UND": "a language is kept as it is spelt",
    "codec of AAC": "without private data the codec is that of the FourCC; the peer makes a profile up",
    "level without codec": "a level whose private data is of another codec than its FourCC is left out here",
    "first system": "the peer reads the first protection header alone",
    "EC-3 data": "of the WAVEFORMATEX tail the dec3 payload is the configuration here; the peer shows all of it",
    "last duration": "a last fragment without duration has the rest, or that of the one before; the peer gives it none",
    "text without fragments": "a stream without fragments is listed, and not played",
    "peer: other codecs": "the peer knows fewer codecs and leaves out levels; here the decoder decides",
    "tick:": "the peer counts in doubles",
    "start:": "rx-player starts where the latest stream does; here at the earliest",
    "peer refuses": "the peer cannot read it",
    "streams: [], theirs ['text']": "a level without Bitrate has no URL and is left out here",
    "data offset": "a run that would lie outside of its mdat is put where it fits here, for encoders get offsets wrong",
}


def probe(path, *more):
    out = subprocess.run([BIN, "probe", "--json", *more, str(path)], capture_output=True, text=True).stdout
    return json.loads(out)


class Peer:
    """One of the scripts of the comparison of generated input."""

    def __init__(self, script):
        self.node = subprocess.Popen(["node", HERE / "peers" / script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, head, data, blocks):
        self.node.stdin.write(head.encode() + b"\n" + data)
        self.node.stdin.flush()
        out = []
        for _ in range(blocks):
            lines = []
            while (line := self.node.stdout.readline().decode().rstrip("\n")) != ".":
                lines.append(line.split(" "))
            out.append(lines)
        return out


manifests, fragments = Peer("peers.js"), Peer("fragments.js")


def usable(stream):
    return [level for level in stream["levels"] if level["usable"]]


def near(a, b):
    return abs(a - b) < 1e-6 * max(1, abs(b))


class Asked:
    """A server of one manifest that notes what is asked for, and answers with any fragment."""

    def __init__(self, manifest, media):
        asked = self.asked = []
        any_video = next(media.glob("300000-*=0).mp4")).read_bytes()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                known = self.path.endswith("/Manifest.xml")
                body = manifest.read_bytes() if known else any_video
                if not known:
                    asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def first(self, level):
        self.asked.clear()
        url = f"http://127.0.0.1:{self.server.server_port}/Manifest.xml"
        subprocess.run([BIN, "play", url, "--level", str(level), "--audio", "none", "--speed", "max"], capture_output=True)
        return self.asked[0].lstrip("/") if self.asked else None


def rx_manifest(path, expected):
    ours, bad = probe(path, "--timeline"), []
    scale = ours["timescale"]
    if ours["live"] != expected["isLive"]:
        bad.append(f"live: {ours['live']}")
    playing = [s for s in ours["streams"] if s["times"] and usable(s)]
    start = min(s["first_time"] / s["timescale"] for s in playing)
    end = max(s["end_time"] / s["timescale"] for s in playing)
    if not near(start, expected["minimumPosition"]):
        bad.append(f"start: {start}, theirs {expected['minimumPosition']}")
    if not near(end, expected["maximumPosition"]):
        bad.append(f"end: {end}, theirs {expected['maximumPosition']}")
    asked = Asked(path, path.parent)
    for kind, sets in expected["periods"][0]["adaptations"].items():
        streams = [s for s in ours["streams"] if s["type"] == kind]
        if len(streams) != len(sets):
            bad.append(f"{kind} streams: {len(streams)}, theirs {len(sets)}")
        for stream, theirs in zip(streams, sets):
            if stream["language"] != theirs["language"]:
                bad.append(f"language: {stream['language']}, theirs {theirs['language']}")
            levels = stream["levels"]
            if len(levels) != len(theirs["representations"]):
                bad.append(f"{kind} levels: {len(levels)}, theirs {len(theirs['representations'])}")
            for place, (level, r) in enumerate(zip(levels, theirs["representations"])):
                for name in ("bitrate", "width", "height"):
                    if name in r and level[name] != r[name]:
                        bad.append(f"{name}: {level[name]}, theirs {r[name]}")
                if "codec" in r and (level["codec"] or "").lower() != r["codec"].lower():
                    bad.append(f"codec: {level['codec']}, theirs {r['codec']}")
                if not r["index"]["segments"]:
                    if stream["times"]:
                        bad.append("fragments where there are none")
                    continue
                segment = r["index"]["segments"][0]
                if not near(stream["times"][0] / stream["timescale"], segment["time"]):
                    bad.append(f"first time: {stream['times'][0]}, theirs {segment['time']}")
                if not near(stream["durations"][0] / stream["timescale"], segment["duration"]):
                    bad.append(f"first duration: {stream['durations'][0]}, theirs {segment['duration']}")
                if kind == "video" and (url := asked.first(place)) != segment["url"]:
                    bad.append(f"url: {url}, theirs {segment['url']}")
                if kind == "audio":
                    url = stream["url"].replace("{bitrate}", str(level["bitrate"]))
                    url = url.replace("{start time}", str(stream["times"][0]))
                    if url != segment["url"]:
                        bad.append(f"url: {url}, theirs {segment['url']}")
    return bad


def dash_manifest(path):
    ours, bad = probe(path, "--timeline"), []
    theirs = manifests.ask(str(path.stat().st_size), path.read_bytes(), 2)[0]
    if theirs and theirs[0][0] == "E":
        return [] if "error" in ours else [f"peer refuses: {' '.join(theirs[0])}"]
    sets, systems = [], []
    for line in theirs:
        if line[0] == "V" and (line[1] == "true") != ours["live"]:
            bad.append(f"live: {ours['live']}")
        elif line[0] == "S":
            sets.append({"kind": line[2], "scale": line[3], "levels": [], "times": []})
        elif line[0] == "Q":
            sets[-1]["levels"].append((line[1], line[2].lower() if len(line) > 2 else ""))
        elif line[0] == "C":
            sets[-1]["times"].append((line[1], line[2]))
        elif line[0] == "P":
            systems.append(line[1].lower())
    mine = [s for s in ours["streams"] if usable(s) and s["times"]]
    known = {"H264", "AVC1", "AACL", "AACH", "AACP", "AAC", "TTML", "DFXP"}
    fits = [s for s in mine if any(level["fourcc"] in known for level in usable(s))]
    if len(fits) < len(mine):
        bad.append("peer: other codecs")
    if len(fits) != len(sets):
        bad.append(f"streams: {[s['name'] for s in fits]}, theirs {[s['kind'] for s in sets]}")
    for s, t in zip(fits, sets):
        if (s["type"], str(s["timescale"])) != (t["kind"], t["scale"]):
            bad.append(f"stream: {s['type']} {s['timescale']}, theirs {t['kind']} {t['scale']}")
        left = [level for level in s["levels"] if not level["usable"]]
        bitrates = [str(level["bitrate"]) for level in usable(s)]
        if bitrates != [b for b, _ in t["levels"]]:
            hidden = sorted(bitrates + [str(level["bitrate"]) for level in left]) == sorted(b for b, _ in t["levels"])
            bad.append("level without codec" if hidden else f"levels: {bitrates}, theirs {t['levels']}")
        data = {str(level["bitrate"]): level["config"] for level in usable(s)}
        for bitrate, private in t["levels"]:
            if bitrate in data and data[bitrate] != private:
                bad.append("codec of AAC" if s["type"] == "audio" else f"data of {bitrate}: {data[bitrate]}, theirs {private}")
        times = [(str(a), str(d)) for a, d in zip(s["times"], s["durations"])]
        if times != t["times"]:
            same = times[:-1] == t["times"][:-1] and times[-1][0] == t["times"][-1][0] and t["times"][-1][1] == "NaN"
            bad.append("last duration" if same else f"fragments of {s['name']}: {times[:2]}.. theirs {t['times'][:2]}..")
    if [p["system_id"].lower() for p in ours["protection"]][:1] != systems[:1]:
        bad.append(f"systems: {ours['protection']}, theirs {systems}")
    return bad


def yt_manifest(path):
    import xml.etree.ElementTree as tree

    from yt_dlp import YoutubeDL
    from yt_dlp.extractor.common import InfoExtractor

    ours, bad = probe(path, "--timeline"), []
    document = tree.parse(path).getroot()
    formats, subtitles = InfoExtractor(YoutubeDL({"quiet": True}))._parse_ism_formats_and_subtitles(document, "http://h/p.ism/Manifest")
    theirs = formats + [s for group in subtitles.values() for s in group]
    mine = [(s, level) for s in ours["streams"] for level in usable(s)]
    if len(theirs) != len(mine):
        bad.append(f"levels: {len(mine)}, theirs {len(theirs)}")
    for stream, level in mine:
        names = lambda f: f["_download_params"]["stream_type"] == stream["type"] and f["_download_params"]["fourcc"] == level["fourcc"]
        size = lambda f: (f["_download_params"].get("width") or None, f["_download_params"].get("height") or None)
        rate = lambda f: stream["type"] == "text" or f["tbr"] == level["bitrate"] // 1000
        found = [f for f in theirs if names(f) and rate(f) and (stream["type"] != "video" or size(f) == (level["width"], level["height"]))]
        if not found:
            bad.append(f"they lack {stream['name']} {level['bitrate']}")
            continue
        told = found[0]["_download_params"]
        if (ours["duration"], stream["timescale"]) != (told["duration"], told["timescale"]):
            bad.append(f"duration: {ours['duration']}, theirs {told['duration']}")
        if level["config"] != told["codec_private_data"].lower():
            whole = told["codec_private_data"].lower().endswith(level["config"])
            bad.append("EC-3 data" if level["fourcc"] == "EC-3" and whole else f"data: {level['config']}, theirs {told['codec_private_data']}")
        if stream["type"] == "audio" and (level["sampling_rate"], level["channels"]) != (told["sampling_rate"], told["channels"]):
            bad.append(f"sound: {level['sampling_rate']} {level['channels']}")
        times = [f["time"] for f in found[0].get("fragments", []) if "time" in f]
        urls = [f["url"] for f in found[0].get("fragments", [])]
        made = [stream["url"].replace("{bitrate}", str(level["bitrate"])).replace("{start time}", str(t)) for t in stream["times"]]
        if urls and [u.rsplit("p.ism/", 1)[1] for u in urls] != made:
            bad.append(f"urls of {stream['name']}: {made[:2]}.., theirs {urls[:2]}..")
        durations = [f["duration"] for f in found[0].get("fragments", [])]
        if durations and not all(near(d / stream["timescale"], t) for d, t in zip(stream["durations"], durations)):
            bad.append(f"durations of {stream['name']}")
    return bad


def fragment(path):
    ours, bad = probe(path, "--samples"), []
    data = path.read_bytes()
    theirs = fragments.ask(f"{len(data)} 8 Mp4box", data, 1)[0]
    if theirs[0][0] == "E":
        return [] if "error" in ours else ["peer refuses: " + " ".join(theirs[0])]
    samples = [[int(float(n)) for n in line[1:]] for line in theirs if line[0] == "S"]
    mine = [[s["offset"], s["size"], s["duration"], s["pts"] - s["dts"], s["flags"] & 0x0FF1FFFF] for s in ours["samples"]]
    if mine != samples:
        payload, at = 0, 0
        while at + 8 <= len(data) and data[at + 4 : at + 8] != b"mdat":
            at += int.from_bytes(data[at : at + 4], "big") or len(data)
        payload = at + 8
        rest = [s[1:] for s in mine] == [s[1:] for s in samples]
        if rest and samples[0][0] < payload == mine[0][0]:
            return [f"data offset: {samples[0][0]}, and the mdat's bytes start at {payload}"]
        first = next((pair for pair in zip(mine, samples) if pair[0] != pair[1]), (len(mine), len(samples)))
        bad.append(f"samples: {first[0]}, theirs {first[1]}")
    track = next(line for line in theirs if line[0] == "T")
    if ours["track_id"] != int(track[1]):
        bad.append(f"track: {ours['track_id']}, theirs {track[1]}")
    tfxd = next((line for line in theirs if line[0] == "X"), None)
    if tfxd and (ours["time"], ours["duration"]) != (int(tfxd[1]), int(tfxd[2])):
        bad.append(f"tfxd: {ours['time']} {ours['duration']}, theirs {tfxd[1:]}")
    following = [{"time": int(line[1]), "duration": int(line[2])} for line in theirs if line[0] == "R"]
    if ours["tfrf"] != following:
        bad.append(f"tfrf: {ours['tfrf']}, theirs {following}")
    if path.parts[-2] == "dash.js" and bool(ours["tfrf"]) != ("tfdt" not in path.name):
        bad.append("tfrf: dash.js expects one in the one file and none in the other")
    return bad


def check(path):
    name = path.relative_to(DIR)
    if path.suffix == ".mp4":
        return fragment(path)
    if name.parts[0] == "dash.js":
        return dash_manifest(path)
    if name.parts[0] == "yt-dlp":
        return yt_manifest(path)
    if path.suffix == ".xml":
        key = path.stem.removeprefix("Manifest_").lower()
        return rx_manifest(path, json.loads((DIR / "rx-player" / f"{key}.expected.json").read_text()))
    return None


def main():
    failed = count = 0
    for path in sorted(p for p in DIR.rglob("*") if p.is_file() and p.suffix not in (".md", ".json", ".bif")):
        bad = dash_manifest(path) if path.suffix == ".ism" else check(path)
        if bad is None:
            continue
        count += 1
        why = lambda d: next((w for k, w in CHOICES.items() if d.startswith(k)), None)
        open_ones = [d for d in bad if why(d) is None]
        failed += bool(open_ones)
        said = "OK" if not bad else "; ".join(sorted({d if why(d) is None else f"{d} ({why(d)})" for d in bad}))
        print(("DIFFERS " if open_ones else "") + f"{path.relative_to(DIR)}: {said}")
    print(f"vectors: {count} files, {failed} with a difference that nobody chose")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
