// Reads fragments, each behind a line with its length in bytes, the size of its vectors and the name of a parser, and writes
// what that one reads in it: a block of lines, ended by ".". "-" is what it does not look at.
//   M sequence | T track tfdt | X time duration | R time duration | S offset size duration composition flags
//   C vector [clear,protected]... | E why
// Of several traf, the first with a trun. NODE_PATH says where the parsers are.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const mp4box = require("mp4box");
// It goes on after a fault; that it met one is its verdict.
let fault;
mp4box.Log.error = (module, what) => (fault = fault || what.replace(/[^ -~]/g, "?"));
mp4box.Log.warn = mp4box.Log.info = mp4box.Log.debug = () => {};

// Shaka's parsers are no module of their own: their files, and what those want of Closure's.
globalThis.window = globalThis;
const assert = (good, why) => {
  if (!good) throw new Error(why);
};
const provide = (name) => name.split(".").reduce((at, part) => (at[part] = at[part] || {}), globalThis);
globalThis.goog = { provide, require() {}, requireType() {}, asserts: { assert } };
globalThis.shaka = { log: { v2() {} } };
const lib = path.dirname(require.resolve("shaka-player/package.json")) + "/lib/util/";
for (const name of ["error", "buffer_utils", "data_view_reader", "mp4_parser", "mp4_box_parsers"]) {
  vm.runInThisContext(fs.readFileSync(lib + name + ".js", "utf8"));
}
const { Mp4Parser, Mp4BoxParsers } = shaka.util;

const many = 5000;

function withMp4box(bytes, ivSize, out) {
  const file = mp4box.createFile(true);
  fault = undefined;
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  buffer.fileStart = 0;
  file.appendBuffer(buffer, true);
  const moofs = file.moofs || [];
  if (fault || moofs.length === 0) throw new Error(fault || "no moof");
  for (const moof of moofs) {
    out.push("M " + (moof.mfhd ? moof.mfhd.sequence_number : "0"));
    const trafs = moof.trafs || [];
    const traf = trafs.find((t) => (t.truns || []).length > 0) || trafs[0];
    for (const box of (moof.boxes || []).concat(traf ? traf.boxes : [])) {
      if (box.constructor.uuid === "6d1d9b0542d544e680e2141daff757b2") out.push(`X ${box.absolute_time} ${box.duration}`);
      if (box.constructor.uuid === "d4807ef2ca3946958e5426cb9e46a79f") {
        for (const e of box.entries) out.push(`R ${e.absolute_time} ${e.absolute_duration}`);
      }
    }
    if (!traf) continue;
    if (!traf.tfhd) throw new Error("no tfhd");
    out.push(`T ${traf.tfhd.track_id} ${traf.tfdt ? traf.tfdt.baseMediaDecodeTime : "-"}`);
    const runs = traf.truns || [];
    if (runs.some((t) => t.sample_count === undefined)) throw new Error("a trun without a count");
    if (runs.reduce((sum, t) => sum + t.sample_count, 0) > many) throw new Error("more samples than bytes");
    // The track that no moov announces.
    const stbl = { stsd: { entries: [] }, sbgps: [], sgpds: [] };
    const trak = { samples: [], samples_size: 0, samples_duration: 0, tkhd: {}, mdia: { mdhd: {}, minf: { stbl } } };
    file.moov = {};
    file.getTrackById = () => trak;
    file.getTrexById = () => undefined;
    moof.trafs = [traf];
    file.moofs = [moof];
    file.lastMoofIndex = 0;
    file.updateSampleLists();
    for (const s of trak.samples) {
      // Sample flags without the bits of padding, which it does not keep.
      const sync = s.is_sync ? 0 : 0x10000;
      const high = (s.is_leading << 26) | (s.depends_on << 24) | (s.is_depended_on << 22) | (s.has_redundancy << 20);
      const flags = high + sync + s.degradation_priority;
      out.push(`S ${s.offset} ${s.size} ${s.duration} ${s.cts - s.dts} ${flags}`);
    }
  }
}

function withShaka(bytes, ivSize, out) {
  const moofs = [];
  const last = () => moofs[moofs.length - 1];
  // What stands in no traf counts for none.
  const lastTraf = () => last().trafs[last().trafs.length - 1] || { runs: [] };
  const table = (box, version, flags, reader) => {
    lastTraf().senc = lastTraf().senc || Mp4BoxParsers.parseSENC(reader, flags, ivSize, null);
  };
  new Mp4Parser()
    .box("moof", (box) => {
      moofs.push({ start: box.start, trafs: [] });
      Mp4Parser.children(box);
    })
    .box("traf", (box) => {
      last().trafs.push({ runs: [] });
      Mp4Parser.children(box);
    })
    .fullBox("tfhd", (box) => {
      lastTraf().tfhd = lastTraf().tfhd || Mp4BoxParsers.parseTFHD(box.reader, box.flags);
    })
    .fullBox("tfdt", (box) => {
      lastTraf().tfdt = lastTraf().tfdt || Mp4BoxParsers.parseTFDT(box.reader, box.version);
    })
    .fullBox("trun", (box) => lastTraf().runs.push(Mp4BoxParsers.parseTRUN(box.reader, box.version, box.flags)))
    .fullBox("senc", (box) => table(box, box.version, box.flags, box.reader))
    .box("uuid", (box) => {
      const id = Buffer.from(box.reader.readBytes(16)).toString("hex");
      if (id !== "a2394f525a9b4f14a2446c427c648df4" || moofs.length === 0 || last().trafs.length === 0) return;
      const word = box.reader.readUint32();
      table(box, word >>> 24, word & 0xffffff, box.reader);
    })
    .parse(bytes);
  if (moofs.length === 0) throw new Error("no moof");
  for (const moof of moofs) {
    out.push("M -");
    const traf = moof.trafs.find((t) => t.runs.length > 0) || moof.trafs[0];
    if (!traf) continue;
    if (!traf.tfhd) throw new Error("no tfhd");
    out.push(`T ${traf.tfhd.trackId} ${traf.tfdt ? traf.tfdt.baseMediaDecodeTime : "-"}`);
    let at = "-";
    for (const run of traf.runs) {
      if (run.sampleCount > many) throw new Error("more samples than bytes");
      if (run.dataOffset !== null) at = moof.start + run.dataOffset;
      for (const s of run.sampleData) {
        const own = (value, usual) => (value !== null ? value : usual !== null ? usual : 0);
        const size = own(s.sampleSize, traf.tfhd.defaultSampleSize);
        const duration = own(s.sampleDuration, traf.tfhd.defaultSampleDuration);
        out.push(`S ${at} ${size} ${duration} ${s.sampleCompositionTimeOffset || 0} -`);
        if (at !== "-") at += size;
      }
    }
    if (traf.senc) {
      for (const s of traf.senc.samples) {
        const parts = (s.subsamples || []).map((p) => ` ${p.clearBytes},${p.encryptedBytes}`);
        out.push(`C ${Buffer.from(s.iv).toString("hex")}${parts.join("")}`);
      }
    }
  }
}

function ask(read, bytes, ivSize) {
  let out = [];
  try {
    read(bytes, ivSize, out);
  } catch (e) {
    out = [`E ${String(e.message || e).split("\n")[0]}`];
  }
  if (out.some((line) => /undefined|NaN/.test(line))) out = ["E numbers missing"];
  return out.join("\n") + "\n.\n";
}

let held = Buffer.alloc(0);
process.stdin.on("data", (more) => {
  held = Buffer.concat([held, more]);
  for (;;) {
    const line = held.indexOf(10);
    if (line < 0) return;
    const [length, ivSize, name] = held.subarray(0, line).toString().split(" ");
    const size = Number(length);
    if (held.length < line + 1 + size) return;
    const bytes = new Uint8Array(held.subarray(line + 1, line + 1 + size));
    held = held.subarray(line + 1 + size);
    process.stdout.write(ask(name === "Shaka" ? withShaka : withMp4box, bytes, Number(ivSize)));
  }
});
