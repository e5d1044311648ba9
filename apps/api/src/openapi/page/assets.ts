/** The page's style and script are part of the page: nothing is loaded from anywhere. */
export const pageStyle = `
:root { color-scheme: light dark; --back: #fff; --text: #1c2330; --soft: #5a6475; --line: #dfe3ea; --panel: #f6f7f9; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --back: #14171c; --text: #e4e8ee; --soft: #9aa4b2; --line: #2c323b; --panel: #1b1f26; --link: #7fb0ff; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; display: grid; grid-template-columns: 19rem minmax(0, 1fr); font: 15px/1.55 system-ui, sans-serif; color: var(--text); background: var(--back); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.2rem 1rem; border-right: 1px solid var(--line); background: var(--panel); }
nav label { display: block; font-size: .8rem; color: var(--soft); }
nav input { width: 100%; padding: .45rem .6rem; font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 6px; }
nav h3 { margin: 1.1rem 0 .3rem; font-size: .75rem; text-transform: uppercase; letter-spacing: .06em; color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: flex; gap: .4rem; align-items: baseline; padding: .15rem 0; color: inherit; text-decoration: none; }
nav a:hover, nav a:focus { color: var(--link); }
nav .method { flex: 0 0 3.2rem; }
main { max-width: 62rem; padding: 1.5rem 2.5rem 6rem; }
h1 { margin: 0 0 .5rem; font-size: 1.7rem; }
h2 { margin: 2.4rem 0 .2rem; font-size: 1.25rem; }
h4 { margin: 1.2rem 0 .4rem; font-size: .85rem; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); }
section > p { margin-top: 0; color: var(--soft); }
a { color: var(--link); }
code { font: .87em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
p code, td code, .meaning code { padding: .05em .3em; border-radius: 4px; background: var(--panel); }
pre { margin: .6rem 0; padding: .8rem 1rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
.method { display: inline-block; width: 3.8rem; font: 700 .7rem/1.4 ui-monospace, monospace; text-transform: uppercase; }
.get { color: #1f7a4d; } .post { color: #1f5fbf; } .patch { color: #a15c00; } .delete { color: #b3261e; }
@media (prefers-color-scheme: dark) { .get { color: #6fd3a0; } .post { color: #7fb0ff; } .patch { color: #f0b35c; } .delete { color: #ff8a80; } }
.call { margin: .5rem 0; border: 1px solid var(--line); border-radius: 8px; }
.call > summary { padding: .6rem .9rem; cursor: pointer; list-style: none; }
.call > summary::-webkit-details-marker { display: none; }
.call > summary:hover { background: var(--panel); border-radius: 8px; }
.call .path { font-weight: 600; overflow-wrap: anywhere; }
.call .summary { color: var(--soft); margin-left: .4rem; }
.call .body { padding: 0 1rem 1rem; border-top: 1px solid var(--line); }
.access, .place, .type, .limits, .optional { color: var(--soft); }
.place, .optional { font-size: .8rem; font-style: italic; }
.type, .limits { font-size: .87rem; overflow-wrap: anywhere; }
.name { font-weight: 600; }
.fields { margin: .2rem 0; padding: 0; list-style: none; }
.fields .fields { margin: .3rem 0 .3rem .4rem; padding-left: .9rem; border-left: 2px solid var(--line); }
.fields li { padding: .2rem 0; }
.meaning { font-size: .9rem; }
table { width: 100%; border-collapse: collapse; }
td { padding: .4rem .6rem .4rem 0; vertical-align: top; border-top: 1px solid var(--line); }
td pre { max-width: 46rem; }
.status { width: 3rem; font-weight: 700; } .s2 { color: #1f7a4d; } .s4 { color: #a15c00; } .s5 { color: #b3261e; }
[hidden] { display: none !important; }
@media (max-width: 52rem) { body { display: block; } nav { position: static; height: auto; max-height: 45vh; } main { padding: 1rem; } }
`;

export const pageScript = `
const search = document.getElementById('search');
const nothing = document.getElementById('nothing');
const calls = [...document.querySelectorAll('.call')].map((node) => ({
  node, text: node.textContent.toLowerCase(), link: document.querySelector('[data-for="' + node.id + '"]'),
}));
function filter() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const { node, text, link } of calls) {
    const fits = words.every((word) => text.includes(word));
    node.hidden = link.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const section of document.querySelectorAll('section'))
    section.hidden = [...section.querySelectorAll('.call')].every((node) => node.hidden);
  for (const list of document.querySelectorAll('#contents ul'))
    list.hidden = list.previousElementSibling.hidden = [...list.children].every((node) => node.hidden);
  nothing.hidden = shown > 0;
}
function open() {
  const call = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!call || !call.matches('.call')) return;
  if (call.hidden) { search.value = ''; filter(); }
  call.open = true;
  call.scrollIntoView();
}
search.addEventListener('input', filter);
addEventListener('hashchange', open);
addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== search) { event.preventDefault(); search.focus(); }
  if (event.key === 'Escape') { search.value = ''; filter(); }
});
open();
`;
