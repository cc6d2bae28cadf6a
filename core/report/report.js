// What report.html can do beyond being read: values under the pointer, tables in another order, rules out of sight.
"use strict";
(function () {
    var tip = document.createElement("div");
    tip.className = "tip hidden";
    tip.setAttribute("role", "status");
    document.body.appendChild(tip);

    // The browser's own tips come late and not at all on a phone: these replace them.
    document.querySelectorAll(".point").forEach(function (point) {
        var title = point.querySelector("title");
        point.setAttribute("data-tip", title.textContent);
        point.setAttribute("aria-label", title.textContent);
        title.remove();
    });
    document.querySelectorAll("td[title], dd [title]").forEach(function (cell) {
        cell.setAttribute("data-tip", cell.title);
        cell.removeAttribute("title");
    });
    function tell(event) {
        var at = event.target.closest && event.target.closest("[data-tip]");
        tip.classList.toggle("hidden", !at);
        if (!at)
            return;
        tip.textContent = at.getAttribute("data-tip");
        var box = tip.getBoundingClientRect(), gap = 12;
        var x = event.clientX + gap, y = event.clientY + gap;
        if (x + box.width > document.documentElement.clientWidth)
            x = Math.max(0, event.clientX - gap - box.width);
        if (y + box.height > document.documentElement.clientHeight)
            y = Math.max(0, event.clientY - gap - box.height);
        tip.style.left = x + "px";
        tip.style.top = y + "px";
    }
    document.addEventListener("pointermove", tell);
    document.addEventListener("pointerdown", tell);

    // Numbers by value, words by letter, empty cells last; a third click restores the order of the file.
    function value(row, column) {
        var cell = row.cells[column], text = "";
        if (cell)
            cell.childNodes.forEach(function (node) { text += node.nodeName === "SMALL" ? "" : node.textContent; });
        var number = parseFloat(text.replace(/^[<\u2212]/, function (c) { return c === "<" ? "" : "-"; }));
        return { text: text, number: number, isNumber: !isNaN(number), empty: text === "" };
    }
    function compare(a, b) {
        if (a.empty !== b.empty)
            return a.empty ? 1 : -1;
        if (a.isNumber && b.isNumber)
            return a.number - b.number;
        return a.text.localeCompare(b.text);
    }
    function sort(head) {
        var table = head.closest("table"), body = table.tBodies[0], column = head.cellIndex;
        var was = head.getAttribute("aria-sort"), direction = was === null ? "ascending" : was === "ascending" ? "descending" : null;
        var rows = Array.from(body.rows);
        rows.forEach(function (row, i) { row.place = row.place === undefined ? i : row.place; });
        rows.sort(function (a, b) {
            if (!direction)
                return a.place - b.place;
            var x = value(a, column), y = value(b, column), c = compare(x, y);
            return (direction === "descending" && !x.empty && !y.empty ? -c : c) || a.place - b.place;
        });
        table.querySelectorAll("th[aria-sort]").forEach(function (th) { th.removeAttribute("aria-sort"); });
        if (direction)
            head.setAttribute("aria-sort", direction);
        rows.forEach(function (row) { body.appendChild(row); });
    }
    document.querySelectorAll("table:not(.matrix) thead th").forEach(function (head) {
        head.tabIndex = 0;
        head.addEventListener("click", function () { sort(head); });
        head.addEventListener("keydown", function (event) {
            if (event.key === "Enter" || event.key === " ") {
                event.preventDefault();
                sort(head);
            }
        });
    });

    // A box for each rule: its rows, curves and strips come and go.
    var names = [];
    document.querySelectorAll("[data-rule]").forEach(function (e) {
        var name = e.getAttribute("data-rule");
        if (name && names.indexOf(name) < 0)
            names.push(name);
    });
    var contents = document.querySelector(".contents");
    if (contents && names.length > 1) {
        var list = document.createElement("div");
        list.className = "rules";
        names.forEach(function (name) {
            var label = document.createElement("label"), box = document.createElement("input");
            box.type = "checkbox";
            box.checked = true;
            box.addEventListener("change", function () {
                document.querySelectorAll("[data-rule]").forEach(function (e) {
                    if (e.getAttribute("data-rule") === name)
                        e.classList.toggle("hidden", !box.checked);
                });
            });
            label.appendChild(box);
            label.appendChild(document.createTextNode(name));
            list.appendChild(label);
        });
        contents.appendChild(list);
    }
})();
