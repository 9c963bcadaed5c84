"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const NS = "http://www.w3.org/2000/svg";
  const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
  const end = Math.max(1, data.t[data.t.length - 1] || 0, ...data.marks.map((m) => m.t));
  const top = (lists) => lists.flat().reduce((most, v) => Math.max(most, v || 0), 0);
  const topRate = top([data.rate]);
  const topLevel = top([data.bitrate]);
  // A link much faster than the media would flatten the levels to a line.
  const logarithmic = topLevel > 0 && topRate > 6 * topLevel;
  const mega = Math.max(topRate, topLevel) >= 2e7;
  const unit = mega ? 1e6 : 1e3;
  const unitName = mega ? "Mbit/s" : "kbit/s";
  const number = (v, digits) => v.toLocaleString("en", { maximumFractionDigits: digits });
  const rateText = (v) => v == null ? "unknown" : v >= 1e7 ? number(v / 1e6, 1) + " Mbit/s" : number(v / 1e3, 1) + " kbit/s";
  const secondsText = (ms) => ms == null ? "–" : number(ms / 1000, ms < 10000 && end < 5000 ? 3 : 2) + " s";

  const element = (name, attributes, parent) => {
    const e = document.createElementNS(NS, name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    if (parent) parent.append(e);
    return e;
  };
  const text = (parent, x, y, anchor, words) => {
    element("text", { x, y, "text-anchor": anchor }, parent).textContent = words;
  };

  // Round steps: 1, 2 or 5 times a power of ten.
  const steps = (span, count) => {
    const raw = span / Math.max(1, count);
    const power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 5, 10].find((m) => m * power >= raw * 0.999) * power;
    const ticks = [];
    for (let n = 0; n * step <= span * 1.0001; n++) ticks.push(n * step);
    return ticks;
  };
  const decades = (low, high) => {
    const ticks = [];
    for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) {
      for (const m of high / low < 60 ? [1, 2, 5] : [1]) ticks.push(m * Math.pow(10, p));
    }
    return ticks.filter((v) => v >= low && v <= high);
  };

  const symbols = {
    up: { shape: "M-6,5L6,5L0,-6Z", color: "--up", words: "switch up" },
    down: { shape: "M-6,-5L6,-5L0,6Z", color: "--down", words: "switch down" },
    gap: { shape: "M-5,-5L5,5M-5,5L5,-5", color: "--gap", words: "gap", stroke: true },
    retry: { shape: "M-4,0A4,4 0 1 0 4,0A4,4 0 1 0 -4,0", color: "--down", words: "retry", stroke: true },
    start: { shape: "M-4,-6L6,0L-4,6Z", color: "--soft", words: "clock start" },
    dropped: { shape: "M-5,-5L5,-5L5,5L-5,5Z", color: "--gap", words: "level or stream dropped", stroke: true },
    failed: { shape: "M-6,-6L6,6M-6,6L6,-6", color: "--gap", words: "failed", stroke: true },
  };
  const symbol = (parent, kind, x, y) => {
    const s = symbols[kind];
    const color = `var(${s.color})`;
    const style = s.stroke ? `fill:none;stroke:${color};stroke-width:2` : `fill:${color};stroke:var(--panel);stroke-width:1`;
    element("path", { d: s.shape, style, transform: `translate(${x},${y})`, class: "mark-" + kind }, parent);
  };

  const sample = (draw) => {
    const svg = element("svg", { width: 26, height: 14, viewBox: "0 0 26 14", "aria-hidden": "true" });
    draw(svg);
    return svg;
  };
  const legend = (id, entries) => {
    const box = document.getElementById(id);
    for (const [words, draw] of entries) {
      const span = document.createElement("span");
      span.append(sample(draw), words);
      box.append(span);
    }
  };
  const lineSample = (color, dash, width) => (svg) =>
    element("path", { d: "M1,7H25", style: `stroke:var(${color});stroke-width:${width};stroke-dasharray:${dash}` }, svg);
  const markSamples = (kinds) => kinds
    .filter((kind) => data.marks.some((m) => m.kind === kind))
    .map((kind) => [symbols[kind].words, (svg) => symbol(svg, kind, 13, 7)]);
  const stallSample = data.stalls.length
    ? [["stalled", (svg) => element("rect", { x: 1, y: 1, width: 24, height: 12, class: "stall" }, svg)]] : [];

  const series = {
    rate: [
      { name: "video bitrate chosen", color: "--level", dash: "", width: 2.5, step: true, values: data.bitrate, show: rateText },
      { name: "measured throughput", color: "--rate", dash: "", width: 1.5, step: true, values: data.rate, show: rateText },
    ],
    buffer: data.streams.map((name, n) => ({
      name, color: "--s" + n % 4, dash: DASHES[n % 4], width: 2, step: false, values: data.buffers[n], show: secondsText,
    })),
  };
  legend("legend-rate", [
    ...series.rate.map((s) => [s.name, lineSample(s.color, s.dash, s.width)]),
    ...markSamples(["up", "down"]), ...stallSample,
  ]);
  legend("legend-buffer", [
    ...series.buffer.map((s) => [s.name, lineSample(s.color, s.dash, s.width)]),
    ...markSamples(["start", "gap", "retry", "dropped", "failed"]), ...stallSample,
  ]);

  const LEFT = 52, RIGHT = 14, TOP = 36, BOTTOM = 40;
  const plots = [];

  const indexAt = (t) => {
    let low = 0, high = data.t.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (data.t[middle] <= t) low = middle; else high = middle - 1;
    }
    return low;
  };

  const path = (values, x, y, step) => {
    let d = "", pen = false;
    for (let n = 0; n < values.length; n++) {
      const v = values[n];
      if (v == null) { pen = false; continue; }
      const [px, py] = [x(data.t[n]).toFixed(1), y(v).toFixed(1)];
      d += !pen ? `M${px},${py}` : step ? `H${px}V${py}` : `L${px},${py}`;
      pen = true;
    }
    return d;
  };

  const draw = (id, height, lines, y, ticks, tickText, axis) => {
    const box = document.getElementById(id);
    const width = Math.max(260, box.clientWidth);
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", tabindex: 0, "aria-label": axis + " over time" });
    const x = (t) => LEFT + (t / end) * (width - LEFT - RIGHT);
    const floor = height - BOTTOM;
    const py = (v) => floor - y(v) * (floor - TOP);
    for (const tick of ticks) {
      element("path", { d: `M${LEFT},${py(tick)}H${width - RIGHT}`, class: "grid" }, svg);
      text(svg, LEFT - 7, py(tick) + 4, "end", tickText(tick));
    }
    for (const tick of steps(end / 1000, Math.min(12, (width - LEFT) / 70))) {
      element("path", { d: `M${x(tick * 1000)},${floor}v5`, class: "grid" }, svg);
      text(svg, x(tick * 1000), floor + 18, "middle", number(tick, 3));
    }
    text(svg, 6, 15, "start", axis);
    text(svg, width - RIGHT, height - 5, "end", "time since start (s)");
    for (const [from, to] of data.stalls) {
      element("rect", { x: x(from), y: TOP, width: Math.max(2, x(to) - x(from)), height: floor - TOP, class: "stall" }, svg);
    }
    for (const line of lines.slice().reverse()) {
      const style = `stroke:var(${line.color});stroke-width:${line.width};stroke-dasharray:${line.dash}`;
      element("path", { d: path(line.values, x, py, line.step), class: "line", style }, svg);
    }
    const plot = { svg, x, left: LEFT, right: width - RIGHT, py, floor };
    plot.cursor = element("path", { class: "cursor", visibility: "hidden" }, svg);
    plot.dots = lines.map((l) => element("circle", { r: 3.5, style: `fill:var(${l.color})`, visibility: "hidden" }, svg));
    plot.lines = lines;
    box.replaceChildren(svg);
    plots.push(plot);
    svg.addEventListener("pointermove", (e) => point(plot, e));
    svg.addEventListener("pointerdown", (e) => point(plot, e));
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (e) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (!by) return;
      e.preventDefault();
      const at = shown == null ? 0 : shown + by * Math.max(1, Math.round(data.t.length / 200));
      show(Math.min(data.t.length - 1, Math.max(0, at)), plot, null);
    });
    return plot;
  };

  const tip = document.getElementById("tip");
  let shown = null;
  const hide = () => {
    tip.hidden = true;
    shown = null;
    for (const plot of plots) for (const e of [plot.cursor, ...plot.dots]) e.setAttribute("visibility", "hidden");
  };
  const point = (plot, event) => {
    const box = plot.svg.getBoundingClientRect();
    const along = (event.clientX - box.left - plot.left) / (plot.right - plot.left);
    show(indexAt(Math.min(1, Math.max(0, along)) * end), plot, event);
  };
  const line = (words, color) => {
    const div = document.createElement("div");
    if (color) div.append(Object.assign(document.createElement("i"), { style: `background:var(${color})` }));
    div.append(words);
    return div;
  };
  const show = (n, plot, event) => {
    shown = n;
    const t = data.t[n];
    for (const p of plots) {
      p.cursor.setAttribute("d", `M${p.x(t)},${TOP}V${p.floor}`);
      p.cursor.setAttribute("visibility", "visible");
      p.lines.forEach((l, k) => {
        const v = l.values[n];
        p.dots[k].setAttribute("visibility", v == null ? "hidden" : "visible");
        if (v != null) { p.dots[k].setAttribute("cx", p.x(t)); p.dots[k].setAttribute("cy", p.py(v)); }
      });
    }
    const head = document.createElement("b");
    head.textContent = `${number(t / 1000, 3)} s`;
    tip.replaceChildren(head, line(`position ${secondsText(data.position[n])}`));
    for (const s of series.rate) tip.append(line(`${s.name}: ${s.show(s.values[n])}`, s.color));
    for (const s of series.buffer) tip.append(line(`buffer ${s.name}: ${s.show(s.values[n])}`, s.color));
    if (data.stalls.some(([from, to]) => from <= t && t <= to)) tip.append(line("stalled", "--stall"));
    const near = (end / (plot.right - plot.left)) * 8;
    for (const m of data.marks.filter((m) => Math.abs(m.t - t) <= near).slice(0, 4)) tip.append(line(m.text));
    tip.hidden = false;
    const box = plot.svg.getBoundingClientRect();
    const x = box.left + plot.x(t), y = event ? event.clientY : box.top + 30;
    const view = document.documentElement.clientWidth;
    let left = x + 14;
    if (left + tip.offsetWidth > view - 8) left = x - 14 - tip.offsetWidth;
    tip.style.left = Math.max(8, Math.min(left, view - 8 - tip.offsetWidth)) + scrollX + "px";
    tip.style.top = Math.max(8, y - tip.offsetHeight - 12) + scrollY + "px";
  };

  const drawAll = () => {
    hide();
    plots.length = 0;
    const small = innerWidth < 600;
    const high = Math.max(topRate, topLevel, unit * 0.001);
    const low = Math.min(...[...data.rate, ...data.bitrate].filter((v) => v > 0), high) / 1.5;
    const [scale, ticks] = logarithmic
      ? [(v) => Math.log(v / low) / Math.log((high * 1.3) / low), decades(low, high * 1.3)]
      : [(v) => v / (high * 1.1), steps((high * 1.1) / unit, 5).map((v) => v * unit)];
    const rate = draw("plot-rate", small ? 250 : 300, series.rate, scale, ticks, (v) => number(v / unit, 3),
      (small ? "" : "bitrate and throughput ") + `(${unitName}${logarithmic ? ", logarithmic" : ""})`);
    for (const m of data.marks.filter((m) => m.kind === "up" || m.kind === "down")) {
      const level = data.bitrate[Math.min(data.t.length - 1, indexAt(m.t) + (data.t[indexAt(m.t)] < m.t ? 1 : 0))];
      if (level != null) symbol(rate.svg, m.kind, rate.x(m.t), rate.py(level));
    }
    const most = Math.max(top(data.buffers) / 1000, 0.001) * 1.1;
    const buffer = draw("plot-buffer", small ? 200 : 240, series.buffer, (v) => v / 1000 / most,
      steps(most, 5).map((v) => v * 1000), (v) => number(v / 1000, 3), small ? "(s)" : "media held (s)");
    for (const m of data.marks) {
      if (!symbols[m.kind] || m.kind === "up" || m.kind === "down") continue;
      symbol(buffer.svg, m.kind, buffer.x(m.t), TOP - 9);
      if (m.kind === "gap" || m.kind === "failed") {
        const style = "stroke:var(--gap);stroke-width:1.5";
        element("path", { d: `M${buffer.x(m.t)},${TOP - 3}V${buffer.floor}`, style }, buffer.svg);
      }
    }
  };
  drawAll();
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) { width = innerWidth; drawAll(); }
  });
})();
