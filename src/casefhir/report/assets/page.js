"use strict";
// Charts are redrawn from their panels whenever a choice changes; tables sort, filter and copy in place.
const charts = new Map();
const EAGER = 12;
const told = (text) => { document.getElementById("told").textContent = text; };

// Links of marks lead into this page only.
const ownLinks = { sanitize: async (uri) => { if (!/^#c\d+-\d+$/.test(uri)) throw new Error("no such link"); return { href: uri }; } };

// Vega names each mark; here each becomes a link that the arrow keys reach, a chart one stop of the Tab key.
function named(svg, name) {
  svg?.setAttribute("aria-label", name);
  let first = true;
  for (const mark of svg?.querySelectorAll("[role=graphics-symbol]") ?? []) {
    const fact = mark.__data__?.datum?.fact;
    if (mark.tagName !== "g" && fact) {
      mark.setAttribute("role", "link");
      mark.setAttribute("tabindex", first ? "0" : "-1");
      mark.dataset.fact = fact;
      first = false;
    } else if (!mark.hasAttribute("aria-label")) {
      // the layers that hold marks are groups without a name of their own
      mark.setAttribute("role", "group");
      mark.removeAttribute("aria-roledescription");
    }
  }
}

function towards(mark, step) {
  const marks = [...mark.closest("svg").querySelectorAll("[data-fact]")];
  const next = marks[marks.indexOf(mark) + step];
  if (!next) return;
  mark.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}
document.addEventListener("keydown", (event) => {
  const mark = event.target.closest?.("svg [data-fact]");
  if (!mark) return;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step) towards(mark, step);
  else if (event.key === "Enter") location.hash = mark.dataset.fact;
  else return;
  event.preventDefault();
});

// Pointing at a mark, or reaching it, shows what it is linked with: an adverse event its suspects, a course its events.
function linked(key) {
  const own = [...(document.getElementById(key)?.querySelectorAll("a") ?? [])].map((link) => link.getAttribute("href").slice(1));
  const others = [...document.querySelectorAll(`tr[data-fact] a[href="#${key}"]`)].map((link) => link.closest("tr").id);
  return new Set([...own, ...others]);
}
function point(event) {
  document.querySelectorAll(".linked").forEach((each) => each.classList.remove("linked"));
  const mark = event.target.closest?.("svg [data-fact]");
  if (!mark) return;
  const keys = linked(mark.dataset.fact);
  for (const each of mark.closest("svg").querySelectorAll("[data-fact]")) if (keys.has(each.dataset.fact)) each.classList.add("linked");
}
document.addEventListener("mouseover", point);
document.addEventListener("focusin", point);

function everyAxis(spec, channel, act) {
  for (const layer of spec.layer ?? []) if (layer.encoding?.[channel]?.axis) act(layer.encoding[channel].axis);
}

// Wide: names stand left of the plots, ranges right of them. Narrow: names stand above.
const NARROW = 700, RANGES = 96;

function composed(chart, kept, whole, paper) {
  const narrow = whole < NARROW, gutter = paper ? 96 : narrow ? 40 : chart.gutter;
  const width = Math.max(180, whole - gutter - (narrow ? 14 : RANGES));
  const panels = kept.map((panel, at) => {
    const spec = structuredClone(panel.spec), last = at === kept.length - 1;
    spec.width = width;
    if (narrow) spec.title = panel.title;
    everyAxis(spec, "x", (x) => {
      Object.assign(x, { tickCount: Math.max(3, Math.floor(width / 90)), labelOverlap: true });
      // the years stand at the top and the foot; between them the lines lead the eye
      if (!last) Object.assign(x, at === 0 ? { orient: "top" } : { labels: false, ticks: false });
    });
    everyAxis(spec, "y", (y) => {
      if (paper) y.minExtent = gutter - 8;  // the plots of all parts begin at one line
      if (y.title) Object.assign(y, narrow ? { title: null } : { titleAngle: 0, titleAlign: "left", titleBaseline: "top", titleAnchor: "end", titleX: -gutter, titleY: 2, titleLimit: gutter - 42 });
      if (y.labelLimit) Object.assign(y, narrow && !(paper && panel.id !== "courses") ? { labels: false } : { labelAlign: "left", labelPadding: gutter, labelLimit: gutter - 10 });
    });
    // words have at least two fifths of the width on their side; what needs more ends in … (the table has it whole)
    for (const layer of spec.layer) if (layer.mark.type === "text") layer.mark.limit = layer.encoding.x.value ? RANGES - 8 : Math.round(width * 0.39);
    if (narrow) spec.layer = spec.layer.filter((layer) => !layer.encoding.x?.value).map((layer) => named_(layer));
    return spec;
  });
  // the scale is shared: one layer says its domain for all, one without x2, whose end would be read as another domain
  panels[0].layer.find((layer) => layer.encoding.x?.scale && !layer.encoding.x2).encoding.x.scale.domain =
    chart.domain.map((day) => new Date(day).getTime());
  const ink = "currentColor";
  return {
    $schema: chart.schema, background: null, vconcat: panels, spacing: 8, padding: { left: 2, top: 2, right: 2, bottom: 2 },
    resolve: { scale: { x: "shared", color: "independent" } },
    params: [{ name: "zoom", bind: "scales", views: panels.map((spec) => spec.layer.find((layer) => layer.name).name),
      select: { type: "interval", encodings: ["x"], zoom: "wheel![event.shiftKey]" } }],
    config: {
      axis: { labelColor: ink, titleColor: ink, domainColor: ink, tickColor: ink, gridColor: ink, gridOpacity: 0.13, domainOpacity: 0.4, labelFontSize: 11, titleFontSize: 11.5, titleFontWeight: 600 },
      title: { color: ink, anchor: "start", frame: "group", fontSize: 12, offset: 2 }, view: { stroke: null }, font: "system-ui, sans-serif",
    },
  };
}

// Where no name stands in the margin, the words of a course begin with it.
function named_(layer) {
  const text = layer.encoding.text;
  if (text?.field !== "detail") return layer;
  return { ...layer, encoding: { ...layer.encoding, text: { field: "full" } } };
}

const DRAWING = { renderer: "svg", actions: false, loader: ownLinks };
const timelineOf = (chart) => `Timeline of ${chart.name}; the tables below have the same facts`;

async function draw(chart) {
  const turn = ++chart.turn;
  if (chart.view) chart.view.finalize();
  chart.view = null;
  chart.box.replaceChildren();
  const shown = chart.panels.filter((panel) => chart.shown.has(panel.id));
  if (!shown.length) { chart.box.textContent = "All series are hidden."; return; }
  const target = document.createElement("div");
  chart.box.append(target);
  const result = await vegaEmbed(target, composed(chart, shown, chart.box.clientWidth), DRAWING);
  if (turn !== chart.turn) { result.finalize(); return; }
  chart.view = result;
  chart.width = chart.box.clientWidth;
  const name = () => named(target.querySelector("svg"), timelineOf(chart));
  name();
  result.view.addSignalListener("zoom", () => result.view.runAsync().then(name));
  chart.box.dataset.drawn = String(turn);
}

function chartOf(box) {
  const key = box.dataset.case;
  if (charts.has(key)) return charts.get(key);
  const data = JSON.parse(document.getElementById(`${key}-data`).textContent);
  const whole = data.domain;
  const chart = { box, turn: 0, view: null, name: data.name, panels: data.panels, schema: data.schema, gutter: data.gutter, whole, domain: [...whole],
    shown: new Set(data.panels.filter((panel) => panel.shown).map((panel) => panel.id)) };
  charts.set(key, chart);
  return chart;
}

function began(box) {
  const chart = chartOf(box);
  if (!chart.turn) draw(chart);
  return chart;
}

// What is far down a long page is drawn when the reader comes near.
function whenNear(elements, act) {
  const near = new IntersectionObserver((seen) => seen.forEach((each) => { if (each.isIntersecting) { near.unobserve(each.target); act(each.target); } }), { rootMargin: "600px" });
  elements.forEach((each) => near.observe(each));
}

function current(chart) {
  const scale = chart.view?.view.signal("zoom");
  const found = scale && Object.values(scale)[0];
  return (found?.length === 2 ? found : chart.domain).map((day) => new Date(day).getTime());
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.chart) {
    const chart = began(document.getElementById(`${button.dataset.chart}-chart`));
    const [from, to] = current(chart), length = to - from;
    if ("reset" in button.dataset) chart.domain = [...chart.whole];
    else if (button.dataset.zoom) {
      const half = Math.max(864e5, (length * Number(button.dataset.zoom)) / 2), middle = (from + to) / 2;
      chart.domain = [middle - half, middle + half];
    } else chart.domain = [from, to].map((day) => day + length * Number(button.dataset.move));
    draw(chart);
  } else if (button.dataset.copy) copy(asText(document.getElementById(button.dataset.copy)), "The table is copied.");
  else if (button.dataset.json) copy(document.getElementById(button.dataset.json).textContent, "The bundle is copied.");
  else if (button.dataset.gap) nextGap(document.getElementById(button.dataset.gap));
  else if (button.closest("th")) sort(button.closest("th"));
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!box.dataset?.panel) return;
  const chart = began(document.getElementById(`${box.dataset.chart}-chart`));
  chart.domain = current(chart);
  if (box.checked) chart.shown.add(box.dataset.panel); else chart.shown.delete(box.dataset.panel);
  draw(chart);
});

document.addEventListener("input", (event) => {
  const table = document.getElementById(event.target.dataset?.filter ?? "");
  if (!table) return;
  const wanted = event.target.value.toLowerCase();
  let kept = 0;
  for (const row of table.tBodies[0].rows) { row.hidden = !row.textContent.toLowerCase().includes(wanted); kept += !row.hidden; }
  told(`${kept} rows shown.`);
});

function sortable(table) {
  for (const th of table.tHead.rows[0].cells) {
    if (th.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...th.childNodes);
    th.append(button);
  }
}
document.addEventListener("toggle", (event) => { if (event.target.open) event.target.querySelectorAll("table.sortable").forEach(sortable); }, true);

function sort(th) {
  const body = th.closest("table").tBodies[0], at = th.cellIndex, down = th.getAttribute("aria-sort") === "ascending";
  const key = (row) => (th.textContent === "When" && row.dataset.sortWhen !== undefined ? row.dataset.sortWhen || "9999" : row.cells[at].textContent.trim());
  const rows = [...body.rows].sort((one, other) => key(one).localeCompare(key(other), "en", { numeric: true }));
  if (down) rows.reverse();
  for (const each of th.parentElement.cells) each.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", down ? "descending" : "ascending");
  body.append(...rows);
}

// A spreadsheet runs what starts like a formula: such text gets a quote, numbers stay numbers.
function safe(text) {
  const plain = text.replace(/\s+/g, " ").trim();
  return /^'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(plain) && !/^[+-]?\d+(\.\d+)?$/.test(plain) ? `'${plain}` : plain;
}

function asText(table) {
  return [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map((cell) => safe(cell.textContent)).join("\t")).join("\n");
}

async function copy(text, done) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const went = document.execCommand("copy");
    area.remove();
    if (!went) { told("The browser does not let this page copy."); return; }
  }
  told(done);
}

// A place of a fact lights up all its words; words light up all their facts.
function light(wanted) {
  document.querySelectorAll(".lit").forEach((each) => each.classList.remove("lit"));
  for (const key of wanted) {
    document.getElementById(key)?.classList.add("lit");
    document.querySelectorAll(`.said[data-facts~="${key}"]`).forEach((each) => each.classList.add("lit"));
  }
  told(wanted.length === 1 ? "The words of the fact are marked." : `${wanted.length} facts have these words.`);
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link?.dataset.light) light([link.dataset.light]);
  else if (link?.dataset.facts) light(link.dataset.facts.split(" "));
});

// Goes through the words that are in no fact, one after the other.
function nextGap(words) {
  const gaps = [...words.querySelectorAll(".gap")], at = gaps.findIndex((each) => each.classList.contains("lit"));
  document.querySelectorAll(".lit").forEach((each) => each.classList.remove("lit"));
  const next = gaps[(at + 1) % gaps.length];
  if (!next) { told("Every word of the sections that tell of the case is in a fact."); return; }
  next.classList.add("lit");
  next.scrollIntoView({ block: "center" });
  told(`Words in no fact: ${next.textContent.trim()}`);
}

// A link to a fact opens the case and the table it stands in.
function reveal() {
  const key = decodeURIComponent(location.hash.slice(1)), section = document.getElementById(key.replace(/^c(\d+)-.*/, "case$1"));
  if (section?.matches(".case")) unpack(section);
  const target = document.getElementById(key);
  if (!target) return;
  for (let at = target.parentElement; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView({ block: target.matches("section") ? "start" : "center" });
}
addEventListener("hashchange", reveal);

// Of many cases, those far from the reader wait as text.
function unpack(section) {
  const packed = section.querySelector("script[type='text/x-case']");
  if (!packed) return;
  const body = document.createElement("div");
  body.innerHTML = packed.textContent.replaceAll("<\\/script", "</script");
  packed.replaceWith(body);
  adopt(body);
}

function adopt(root) {
  root.querySelectorAll("table.sortable").forEach((table) => { if (!table.closest("details:not([open])")) sortable(table); });
  const boxes = [...root.querySelectorAll(".chart")];
  if (boxes.length <= EAGER) boxes.forEach(began);
  else whenNear(boxes, began);
}
adopt(document);
whenNear([...document.querySelectorAll(".case")].filter((each) => each.querySelector("script[type='text/x-case']")), unpack);
reveal();
let waiting = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => charts.forEach((chart) => { if (Math.abs((chart.width ?? 0) - chart.box.clientWidth) > 20) draw(chart); }), 200);
});
