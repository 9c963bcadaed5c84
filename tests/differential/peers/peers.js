// Reads manifests, each behind a line with its length in bytes, and writes what each of two players reads in them: a
// block of lines a player, ended by ".".
//   V live | S ordinal type timescale | Q bitrate data | C start duration | P system | E why
// The ordinal of a stream is the number behind "/s" in its URL. NODE_PATH says where the players are.
"use strict";
const path = require("path");
const { DOMParser, Document } = require("@xmldom/xmldom");

// What a browser has and dash.js asks for.
globalThis.self = globalThis.window = globalThis;
if (!globalThis.navigator) globalThis.navigator = { appName: "", userAgent: "", platform: "" };
globalThis.DOMParser = class {
  parseFromString(text, type) {
    // A browser has a document that says "parsererror" instead, which dash.js takes for the same.
    const onError = (level, message) => {
      if (level !== "warning") throw new Error(message);
    };
    return new DOMParser({ onError }).parseFromString(text, type);
  }
};
Document.prototype.querySelector = function (name) {
  return this.getElementsByTagName(name)[0];
};
const silent = { getLogger: () => ({ debug() {}, info() {}, warn() {}, error() {}, fatal() {} }) };
globalThis.dashjs = {
  FactoryMaker: {
    getClassFactory: (make) => (context) => ({ create: (config) => make.call({ context }, config) }),
    updateClassFactory() {},
    getSingletonFactoryByName: () => ({ EVENT_PRIORITY_HIGH: 0 }),
  },
};
const folder = (name) => path.dirname(require.resolve(name + "/package.json"));
require(folder("dashjs") + "/dist/dash.mss.debug.js");
const mss = dashjs.MssHandler({}).create({
  eventBus: { getClassName: () => "EventBus" },
  events: {},
  constants: { AUDIO: "audio", VIDEO: "video", TEXT: "text", STPP: "stpp" },
  initSegmentType: "",
  BASE64: {
    decodeArray: (text) => new Uint8Array(Buffer.from(text, "base64")),
    encodeASCII: (text) => Buffer.from(text, "latin1").toString("base64"),
  },
  debug: silent,
  manifestModel: { getValue: () => null },
  settings: { get: () => ({ streaming: { delay: {}, buffer: {}, timeShiftBuffer: {} } }), update() {} },
  playbackController: {},
  protectionController: {},
  mediaPlayerModel: {},
  dashMetrics: {},
  streamController: {},
  errHandler: {},
});
// Not in its exports: by its path.
const rx = require(folder("rx-player") + "/dist/commonjs/parsers/manifest/smooth/index.js").default;
require(folder("rx-player") + "/dist/commonjs/log.js").default.setLevel("NONE", "standard");

const ordinal = (url) => (/\/s(\d+)/.exec(url || "") || [0, "?"])[1];

function dash(text, out) {
  const manifest = mss.createMssParser().parse(text);
  out.push("V " + (manifest.type === "dynamic"));
  const sets = manifest.Period.AdaptationSet_asArray;
  for (const set of sets) {
    const template = set.SegmentTemplate;
    out.push(`S ${ordinal(template.media)} ${set.contentType} ${template.timescale}`);
    for (const r of set.Representation_asArray) out.push(`Q ${r.bandwidth} ${r.codecPrivateData}`);
    for (const s of template.SegmentTimeline.S) out.push(`C ${s.tManifest || s.t} ${s.d}`);
  }
  const protection = sets.length ? sets[0].ContentProtection_asArray : undefined;
  if (protection) out.push("P " + protection[0].schemeIdUri.replace("urn:uuid:", ""));
}

function rxPlayer(text, out) {
  const manifest = rx({})(text, "http://h/p.ism/Manifest", 0);
  out.push("V " + manifest.isLive);
  const all = manifest.periods[0].adaptations;
  let system;
  for (const kind of Object.keys(all)) {
    for (const set of all[kind]) {
      const first = set.representations[0].index;
      out.push(`S ${ordinal(first._media)} ${kind} ${first._sharedSmoothTimeline.timescale}`);
      for (const r of set.representations) {
        out.push(`Q ${r.bitrate} ${r.codecPrivateData}`);
        system = r.contentProtections ? r.contentProtections.initData[0].values[0].systemId : system;
      }
      for (const c of first._sharedSmoothTimeline.timeline) {
        for (let n = 0; n < c.repeatCount + 1; n++) out.push(`C ${c.start + n * c.duration} ${c.duration}`);
      }
    }
  }
  if (system !== undefined) out.push("P " + system);
}

function ask(read, text) {
  let out = [];
  try {
    read(text, out);
  } catch (e) {
    out = ["E " + String(e.message || e).split("\n")[0]];
  }
  return out.join("\n") + "\n.\n";
}

let held = Buffer.alloc(0);
process.stdin.on("data", (bytes) => {
  held = Buffer.concat([held, bytes]);
  for (;;) {
    const line = held.indexOf(10);
    if (line < 0) return;
    const size = Number(held.subarray(0, line).toString());
    if (held.length < line + 1 + size) return;
    // As a browser decodes it, without its mark.
    const text = new TextDecoder().decode(held.subarray(line + 1, line + 1 + size));
    held = held.subarray(line + 1 + size);
    process.stdout.write(ask(dash, text) + ask(rxPlayer, text));
  }
});
