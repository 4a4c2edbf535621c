import { el, note } from "./dom.js";

// Table keeps one table up to date in place: rows are known by id, cells change
// only when their text does, so focus, selection and opened rows survive.
//
// A column is {title, text(row), node?(row), value?(row), header?, number?, wrap?}:
// node makes something richer than the text, value makes the column sortable,
// and the header is what a row is called by.
// detail(box, row) fills what a row shows when opened, and is called again
// with the same box at every update.
export class Table {
  constructor(host, { label, columns, id, detail, empty, sort }) {
    Object.assign(this, { columns, id, detail, sort, rows: [], shown: new Map(), opened: new Set() });
    this.heads = columns.map((c, i) => this.head(c, i));
    this.body = el("tbody");
    this.frame = el("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
      el("table", {}, el("thead", {}, el("tr", {},
        detail && el("td", { class: "open" }), ...this.heads)), this.body));
    this.empty = note(empty);
    host.replaceChildren(this.empty, this.frame);
    this.update([]);
  }

  head(column, i) {
    const th = el("th", { scope: "col", class: column.number && "number" });
    if (!column.value) {
      th.append(column.title);
      return th;
    }
    const button = el("button", { type: "button" }, column.title);
    button.addEventListener("click", () => {
      this.sort = { column: i, down: this.sort?.column === i ? !this.sort.down : false };
      this.update(this.rows);
    });
    th.append(button);
    return th;
  }

  update(rows) {
    this.rows = rows;
    this.frame.hidden = rows.length === 0;
    this.empty.hidden = rows.length !== 0;
    this.heads.forEach((th, i) => {
      if (this.sort?.column === i) th.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    });
    const keep = new Set(rows.map(this.id));
    for (const [id, row] of this.shown) {
      if (!keep.has(id)) {
        row.tr.remove();
        row.detail?.remove();
        this.shown.delete(id);
      }
    }
    let last = null;
    for (const row of this.sorted(rows)) last = this.place(row, last);
  }

  sorted(rows) {
    if (!this.sort) return rows;
    const { value } = this.columns[this.sort.column];
    const sign = this.sort.down ? -1 : 1;
    const missing = (v) => v === undefined || v === null || Number.isNaN(v);
    return rows.toSorted((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (missing(x) || missing(y)) return missing(x) - missing(y); // last, either way
      return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
    });
  }

  // place puts a row's elements after the element last, and returns the row's last.
  place(row, last) {
    const id = this.id(row);
    let shown = this.shown.get(id);
    if (!shown) {
      shown = this.make(id);
      this.shown.set(id, shown);
    }
    shown.row = row;
    shown.button?.setAttribute("aria-label", `Details of ${this.columns.find((c) => c.header).text(row)}`);
    this.columns.forEach((column, i) => this.fill(shown.cells[i], column, row));
    last = this.after(shown.tr, last);
    if (this.opened.has(id)) {
      last = this.after(shown.detail, last);
      this.detail(shown.box, row);
    }
    return last;
  }

  after(node, last) {
    const next = last ? last.nextSibling : this.body.firstChild;
    if (next !== node) this.body.insertBefore(node, next);
    return node;
  }

  make(id) {
    const cells = this.columns.map((c) => el(c.header ? "th" : "td",
      { scope: c.header && "row", class: (c.number && "number") || (c.wrap && "wrap") }));
    const shown = { cells };
    if (!this.detail) {
      shown.tr = el("tr", {}, ...cells);
      return shown;
    }
    shown.button = el("button", { type: "button", "aria-expanded": "false" });
    shown.tr = el("tr", {}, el("td", { class: "open" }, shown.button), ...cells);
    shown.box = el("div");
    shown.detail = el("tr", { class: "detail" }, el("td", { colspan: this.columns.length + 1 }, shown.box));
    shown.button.addEventListener("click", () => this.toggle(id));
    return shown;
  }

  fill(cell, column, row) {
    const text = column.text(row);
    if (cell.said === text) return;
    cell.said = text;
    cell.replaceChildren(column.node ? column.node(row) : text);
    if (!column.node) cell.title = text; // long ones are cut off
  }

  toggle(id) {
    const shown = this.shown.get(id);
    const open = !this.opened.has(id);
    shown.button.setAttribute("aria-expanded", String(open));
    if (open) {
      this.opened.add(id);
      this.after(shown.detail, shown.tr);
      this.detail(shown.box, shown.row);
    } else {
      this.opened.delete(id);
      shown.detail.remove();
    }
  }
}
