"use strict";
for (const box of document.querySelectorAll(".filter")) {
  const [words, change, shown] = box.querySelectorAll("input, select, output");
  const rows = [...box.parentElement.querySelectorAll("tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const apply = () => {
    const wanted = words.value.toLowerCase();
    let left = 0;
    rows.forEach((row, i) => {
      row.hidden = !texts[i].includes(wanted) || (change.value !== "" && row.className !== change.value);
      left += row.hidden ? 0 : 1;
    });
    shown.textContent = `${left} of ${rows.length} shown`;
  };
  words.addEventListener("input", apply);
  change.addEventListener("change", apply);
  box.hidden = false;
  apply();
}
