// Small multiples: one measurement in every case, time counted in months from an event the reader chooses.
const MONTH = 864e5 * 30.4375, MOST_PANELS = 60;
const months = (day, from) => (new Date(day) - new Date(from)) / MONTH;

// `paper` is the width on paper, where they come in parts that are not broken by the end of a page.
async function drawMultiples(paper) {
  const box = document.getElementById("multiples");
  const data = JSON.parse(document.getElementById("multiples-data").textContent);
  const measure = data.measures[Number(document.getElementById("measure").value)];
  const event = data.events[Number(document.getElementById("aligned").value)];
  // both dates can be partial: a mark reaches from the shortest to the longest time between them
  const kept = new Set([...document.getElementById("cohort").tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[0].textContent));
  const all = [...new Set(measure.rows.filter((row) => event.starts[row.case] && kept.has(row.case)).map((row) => row.case))];
  const few = new Set(all.slice(0, MOST_PANELS));
  const title = `${measure.name} in months from the ${event.name}`;
  document.getElementById("multiples-count").textContent = `${title}.${all.length > MOST_PANELS
    ? ` The first ${MOST_PANELS} of ${all.length} cases are drawn; filter the table to see others.` : ""}`;
  const values = measure.rows.filter((row) => few.has(row.case)).map((row) => ({ ...row,
    low: months(row.from, event.starts[row.case][1]), high: months(row.to, event.starts[row.case][0]) }));
  box.replaceChildren();
  delete box.dataset.drawn;
  if (!values.length) { box.textContent = "No case of the table has both this measurement and this start with a date."; box.dataset.drawn = "none"; return; }
  const whole = paper ?? box.clientWidth, columns = Math.max(1, Math.floor(whole / (paper ? 220 : 290)));
  const width = Math.floor((whole - 50) / columns) - 24, size = paper ? columns * 3 : MOST_PANELS;
  const domains = { x: ends(values.flatMap((row) => [row.low, row.high, 0])), y: ends(values.map((row) => row.value)) };
  domains.y[1] += (domains.y[1] - domains.y[0]) * 0.15;  // words stand over the highest mark
  const cases = [...new Set(values.map((row) => row.case))].sort();
  for (let at = 0; at < cases.length; at += size) {
    const part = new Set(cases.slice(at, at + size)), target = document.createElement("div");
    target.className = "part";
    box.append(target);
    await vegaEmbed(target, faceted(values.filter((row) => part.has(row.case)), domains, columns, width, data.schema), DRAWING);
    named(target.querySelector("svg"), title);
  }
  box.dataset.drawn = `${measure.name}|${event.name}`;
}

function ends(numbers) {
  const low = Math.min(...numbers), high = Math.max(...numbers);
  return low < high ? [low, high] : [low - 1, high + 1];
}

// Every case has the same axes, in whichever part it stands.
function faceted(values, domains, columns, width, schema) {
  const ink = "currentColor", y = { field: "value", type: "quantitative", title: null, scale: { domain: domains.y, nice: true, zero: false } };
  const x = { type: "quantitative", scale: { domain: domains.x, nice: true } };
  return {
    $schema: schema, background: null, data: { values }, columns,
    facet: { field: "case", type: "nominal", title: null, header: { labelColor: ink, labelAnchor: "start", labelLimit: width } },
    spec: { width, height: 110, layer: [
      { mark: { type: "rule", color: "#d98200", strokeDash: [4, 3], aria: false }, encoding: { x: { datum: 0, ...x } } },
      { mark: { type: "rule", strokeWidth: 5, color: "#2b83ba" }, encoding: {
        x: { field: "low", title: "months from the start", axis: { tickMinStep: 1, tickCount: 6, labelOverlap: "greedy", labelSeparation: 6 }, ...x }, x2: { field: "high" }, y,
        description: { field: "label" }, tooltip: { field: "label", type: "nominal" }, href: { field: "href" } } },
      { mark: { type: "text", dy: -9, fontSize: 10, fill: ink, aria: false }, encoding: { x: { field: "low", ...x }, y, text: { field: "shown" } } },
    ] },
    config: { axis: { labelColor: ink, titleColor: ink, domainColor: ink, tickColor: ink, gridColor: ink, gridOpacity: 0.13 }, view: { stroke: null }, font: "system-ui, sans-serif" },
  };
}

if (document.getElementById("multiples")) {
  for (const id of ["measure", "aligned"]) document.getElementById(id).addEventListener("change", () => drawMultiples());
  let waiting = 0;
  document.querySelector("[data-filter=cohort]").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => drawMultiples(), 300); });
  whenNear([document.getElementById("multiples")], () => drawMultiples());
}
