// Shows one row of each explorer's table, by its controls.
for (const box of document.querySelectorAll(".explorer:not([data-moves])")) {
  box.dataset.moves = "yes";
  const { choose, slide, rows } = JSON.parse(box.querySelector("script[type='application/json']").textContent);
  const form = box.querySelector("form");
  const make = (parent, tag, text = "", about = {}) => {
    const made = Object.assign(document.createElement(tag), about);
    made.textContent = text;
    return parent.appendChild(made);
  };
  const table = (parent, [head, ...body]) => {
    const made = make(parent, "table");
    const line = make(make(made, "thead"), "tr");
    head.forEach((text) => make(line, "th", text, { scope: "col" }));
    const below = make(made, "tbody");
    body.forEach((row) => { const line = make(below, "tr"); row.forEach((text) => make(line, "td", text)); });
  };
  const controls = choose.map((name) => {
    const values = [...new Set(rows.map((row) => row[name]))];
    const label = make(form, "label", `${name} `);
    if (slide.includes(name)) {
      const control = make(label, "input", "", { type: "range", min: 0, max: values.length - 1, step: 1, value: 0, name });
      const reading = make(label, "output");
      return { name, control, value: () => {
        reading.textContent = `${values[control.value]}`;
        control.setAttribute("aria-valuetext", values[control.value]);
        return values[control.value];
      } };
    }
    const control = make(label, "select", "", { name });
    values.forEach((value) => make(control, "option", value));
    return { name, control, value: () => values[control.selectedIndex] };
  });
  const show = () => {
    const chosen = controls.map(({ name, value }) => [name, value()]);
    const row = rows.find((row) => chosen.every(([name, value]) => row[name] === value));
    const shown = box.querySelector(".shown");
    shown.replaceChildren();
    if (!row) return make(shown, "p", "This choice was not measured; take another.");
    for (const [name, value] of Object.entries(row).filter(([name]) => !choose.includes(name))) {
      if (Array.isArray(value)) table(shown, value);
      else make(make(shown, "p", `${name}: `), "strong", value);
    }
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  box.querySelector("details").open = false;
  show();
}
