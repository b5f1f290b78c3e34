"use strict";
// Without this script the page has the same content, in the order in which it was written.
(() => {
  const numberOf = (cell) => Number(cell.textContent.replaceAll(",", ""));
  const sort = (table, column, numeric, up) => {
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row, i) => {
      const cell = row.cells[column];
      return { row, i, key: numeric ? numberOf(cell) : cell.textContent };
    });
    const order = new Intl.Collator("en", { numeric: true });
    const compare = numeric ? (a, b) => a - b : (a, b) => order.compare(a, b);
    keyed.sort((a, b) => (up ? compare(a.key, b.key) : compare(b.key, a.key)) || a.i - b.i);
    body.append(...keyed.map((entry) => entry.row));
  };
  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const numeric = head.classList.contains("n");
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const up = now ? now === "descending" : !numeric;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        sort(table, column, numeric, up);
      });
    });
    if (!table.hasAttribute("data-filter")) continue;
    const label = document.createElement("label");
    const input = document.createElement("input");
    const shown = document.createElement("output");
    label.append("Only rows with ", input);
    input.type = "search";
    input.placeholder = "words, in any column";
    const line = document.createElement("div");
    line.className = "filter";
    line.append(label, shown);
    table.parentElement.before(line);
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
    const filter = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const { row, text } of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) ++count;
      }
      shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
    };
    let wait = 0;
    input.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(filter, 150);
    });
    filter();
  }
  // "#sort=texts,Times": for a link that shows the rarest first; also how the page is tested.
  const wish = /^#sort=([a-z]+),(.+)$/.exec(decodeURIComponent(location.hash));
  const table = wish && document.getElementById(wish[1]);
  if (table) {
    const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent === wish[2]);
    if (head) head.querySelector("button").click();
  }
})();
