// Small multiples: one measurement in every case, time counted in months from an event the reader chooses.
const MONTH = 864e5 * 30.4375, MOST_PANELS = 60;
const months = (day, from) => (new Date(day) - new Date(from)) / MONTH;

async function drawMultiples() {
  const box = document.getElementById("multiples");
  const data = JSON.parse(document.getElementById("multiples-data").textContent);
  const measure = data.measures[Number(document.getElementById("measure").value)];
  const event = data.events[Number(document.getElementById("aligned").value)];
  // both dates can be partial: a mark reaches from the shortest to the longest time between them
  const kept = new Set([...document.getElementById("cohort").tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[0].textContent));
  const all = [...new Set(measure.rows.filter((row) => event.starts[row.case] && kept.has(row.case)).map((row) => row.case))];
  const few = new Set(all.slice(0, MOST_PANELS));
  document.getElementById("multiples-count").textContent = all.length > MOST_PANELS
    ? `The first ${MOST_PANELS} of ${all.length} cases are drawn; filter the table to see others.` : "";
  const values = measure.rows.filter((row) => few.has(row.case)).map((row) => ({ ...row,
    low: months(row.from, event.starts[row.case][1]), high: months(row.to, event.starts[row.case][0]) }));
  box.replaceChildren();
  delete box.dataset.drawn;
  if (!values.length) { box.textContent = "No case of the table has both this measurement and this start with a date."; box.dataset.drawn = "none"; return; }
  const columns = Math.max(1, Math.floor(box.clientWidth / 290)), ink = "currentColor";
  const y = { field: "value", type: "quantitative", title: null, scale: { zero: false } };
  const target = document.createElement("div");
  box.append(target);
  await vegaEmbed(target, {
    $schema: data.schema, background: null, data: { values }, columns,
    facet: { field: "case", type: "nominal", title: null, header: { labelColor: ink, labelAnchor: "start" } },
    spec: { width: Math.floor((box.clientWidth - 50) / columns) - 24, height: 110, layer: [
      { mark: { type: "rule", color: "#d98200", strokeDash: [4, 3], aria: false }, encoding: { x: { datum: 0, type: "quantitative" } } },
      { mark: { type: "rule", strokeWidth: 5, color: "#2b83ba" }, encoding: {
        x: { field: "low", type: "quantitative", title: "months from the start", axis: { tickMinStep: 1, tickCount: 6 } }, x2: { field: "high" }, y,
        description: { field: "label" }, tooltip: { field: "label", type: "nominal" }, href: { field: "href" } } },
      { mark: { type: "text", dy: -9, fontSize: 10, fill: ink, aria: false }, encoding: { x: { field: "low", type: "quantitative" }, y, text: { field: "shown" } } },
    ] },
    config: { axis: { labelColor: ink, titleColor: ink, domainColor: ink, tickColor: ink, gridColor: ink, gridOpacity: 0.13 }, view: { stroke: null }, font: "system-ui, sans-serif" },
  }, { renderer: "svg", actions: false, loader: ownLinks });
  named(target.querySelector("svg"), `${measure.name} in months from the ${event.name}`);
  box.dataset.drawn = `${measure.name}|${event.name}`;
}

if (document.getElementById("multiples")) {
  for (const id of ["measure", "aligned"]) document.getElementById(id).addEventListener("change", drawMultiples);
  let waiting = 0;
  document.querySelector("[data-filter=cohort]").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(drawMultiples, 300); });
  whenNear([document.getElementById("multiples")], drawMultiples);
}
