/* A click on a picture opens it in the whole window: the wheel, + and - make it larger and smaller, dragging moves it. */
(() => {
  "use strict";
  const pictures = document.querySelectorAll(".md-content img");
  if (!pictures.length || !window.HTMLDialogElement) return;
  const dialog = document.createElement("dialog");
  dialog.className = "zoom";
  dialog.innerHTML = '<div class="tools"><button data-by="0.8" title="smaller (-)">&minus;</button>'
    + '<button data-by="1.25" title="larger (+)">+</button><button data-to="fit" title="all of it (0)">whole</button>'
    + '<button data-to="one" title="as it was drawn (1)">1 : 1</button><button data-to="close" title="Esc">close</button></div>'
    + '<div class="sheet" tabindex="0"><img alt=""></div>';
  document.body.append(dialog);
  const sheet = dialog.querySelector(".sheet"), picture = sheet.querySelector("img");
  let drawn = 1, scale = 1;

  /* What is at (x, y) of the sheet stays there. */
  function zoom(to, x = sheet.clientWidth / 2, y = sheet.clientHeight / 2) {
    const before = scale;
    scale = Math.min(8, Math.max(0.05, to));
    const left = (sheet.scrollLeft + x) * scale / before - x, top = (sheet.scrollTop + y) * scale / before - y;
    picture.style.width = `${drawn * scale}px`;
    sheet.scrollTo(left, top);
  }

  const fit = () => Math.min(sheet.clientWidth / drawn, sheet.clientHeight / drawn * picture.naturalWidth / picture.naturalHeight);

  function open(shown) {
    picture.src = shown.currentSrc || shown.src;
    picture.alt = shown.alt;
    drawn = shown.naturalWidth || shown.width;
    dialog.showModal();
    scale = 1;
    picture.decode().catch(() => {}).then(() => {
      zoom(Math.min(1, Math.max(fit(), 0.75)));  /* as large as can be read; all of it, where that can */
      sheet.scrollTo(0, 0);
      sheet.focus();
    });
  }

  const act = { fit: () => zoom(fit()), one: () => zoom(1), close: () => dialog.close() };
  dialog.addEventListener("click", event => {
    const { by, to } = event.target.dataset;
    if (by) zoom(scale * by);
    if (to) act[to]();
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", event => {
    const keys = { "+": () => zoom(scale * 1.25), "=": () => zoom(scale * 1.25), "-": () => zoom(scale * 0.8), 0: act.fit, 1: act.one };
    if (keys[event.key]) { keys[event.key](); event.preventDefault(); }
    event.stopPropagation();  /* the site has keys of its own */
  });
  sheet.addEventListener("wheel", event => {
    if (event.shiftKey) return;
    const place = sheet.getBoundingClientRect();
    zoom(scale * Math.exp(-event.deltaY / 500), event.clientX - place.left, event.clientY - place.top);
    event.preventDefault();
  }, { passive: false });
  sheet.addEventListener("pointerdown", event => {
    if (event.pointerType !== "mouse" || event.button) return;  /* fingers scroll by themselves */
    sheet.setPointerCapture(event.pointerId);
    event.preventDefault();
    sheet.focus();
  });
  sheet.addEventListener("pointermove", event => {
    if (sheet.hasPointerCapture(event.pointerId)) sheet.scrollBy(-event.movementX, -event.movementY);
  });

  for (const one of pictures) {
    if (one.closest("a")) continue;
    one.tabIndex = 0;
    one.setAttribute("role", "button");
    one.title = one.title || "enlarge";
    one.addEventListener("click", () => open(one));
    one.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(one); }
    });
  }
})();
