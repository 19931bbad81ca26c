// On paper a chart has the paper's width, and comes in parts that are not broken by the end of a page.
const PAPER = 690, PART = 300, GAP = 28;  // CSS pixels: A4 and Letter have 700 and 720 between the margins, 980 and 910 high

// A panel of lanes that is higher than a part goes on in the next.
function lanesApart(panel) {
  const step = panel.spec.height.step;
  if (!step) return [{ panel, height: panel.spec.height }];
  const rows = [...panel.spec.data.values].sort((one, other) => (one.lane < other.lane ? -1 : 1)), most = Math.floor(PART / step);
  const apart = [];
  for (let at = 0; at < rows.length; at += most) {
    const kept = rows.slice(at, at + most);
    if (at && kept[0].lane.endsWith(" ")) {
      const name = rows.slice(0, at).findLast((row) => !row.lane.endsWith(" ")).lane.slice(4);
      kept[0] = { ...kept[0], lane: `${kept[0].lane}${name} …` };
    }
    apart.push({ panel: { ...panel, spec: { ...panel.spec, data: { values: kept } } }, height: kept.length * step });
  }
  return apart;
}

function parts(panels) {
  const found = [];
  let room = 0;
  for (const { panel, height } of panels.flatMap(lanesApart)) {
    if (height + GAP > room) { found.push([]); room = PART; }
    found.at(-1).push(panel);
    room -= height + GAP;
  }
  return found;
}

// Nothing here waits for anything but what is ready: a browser prints as soon as "beforeprint" has been answered.
async function drawForPaper(chart) {
  const shown = chart.panels.filter((panel) => chart.shown.has(panel.id));
  if (!shown.length) return;
  chart.domain = current(chart);
  chart.turn += 1;
  chart.view?.finalize();
  chart.view = null;
  chart.onPaper = [];
  chart.box.replaceChildren();
  for (const panels of parts(shown)) {
    const target = document.createElement("div");
    target.className = "part";
    chart.box.append(target);
    const result = await vegaEmbed(target, composed(chart, panels, PAPER, true), DRAWING);
    named(target.querySelector("svg"), timelineOf(chart));
    chart.onPaper.push(result);
  }
}

let closed = [];
addEventListener("beforeprint", () => {
  document.querySelectorAll(".case").forEach(unpack);
  closed = [...document.querySelectorAll("details:not([open], .chart-tools details)")];
  for (const each of closed) each.open = true;
  document.querySelectorAll(".chart").forEach((box) => drawForPaper(chartOf(box)));
  if (document.getElementById("multiples")) drawMultiples(PAPER);
});
addEventListener("afterprint", () => {
  for (const each of closed) each.open = false;
  for (const chart of charts.values()) {
    for (const each of chart.onPaper ?? []) each.finalize();
    chart.onPaper = null;
    draw(chart);
  }
  if (document.getElementById("multiples")) drawMultiples();
});
