import { pageScript, pageStyle } from './assets.ts';
import { documentSchema } from './document-schema.ts';
import type { Document } from './document-schema.ts';
import { escapeHtml, renderInline, renderMarkdown } from './html.ts';
import { renderOperation, renderSent } from './render-operation.ts';
import type { Call } from './render-operation.ts';

const callsOf = (paths: Document['paths']): Call[] =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  );

/** The API description as one page for people: complete without a script, which only adds the search. */
export function renderPage(openApiDocument: unknown): string {
  const document = documentSchema.parse(openApiDocument);
  const calls = callsOf(document.paths);
  const sent = callsOf(document.webhooks);
  const groups = document.tags.map(({ name, description }) => {
    const isOfGroup = ({ operation }: Call) => operation.tags.includes(name);
    return { name, description, calls: calls.filter(isOfGroup), sent: sent.filter(isOfGroup) };
  });
  const links = groups.map((group) => {
    const all = [...group.calls.map(renderLink), ...group.sent.map(renderLink)];
    return `<h3>${escapeHtml(group.name)}</h3><ul>${all.join('')}</ul>`;
  });
  const sections = groups.map(
    (group) => `<section><h2>${escapeHtml(group.name)}</h2><p>${renderInline(group.description)}</p>
${group.calls.map((call) => renderOperation(call, document)).join('\n')}
${group.sent.map((call) => renderSent(call, document)).join('\n')}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(document.info.title)} API</title>
<link rel="icon" href="data:,">
<style>${pageStyle}</style>
</head>
<body>
<nav>
<label for="search">Search</label>
<input id="search" type="search" placeholder="path, word or error code  ( / )" autocomplete="off">
<div id="contents">${links.join('')}</div>
</nav>
<main>
<h1>${escapeHtml(document.info.title)} API</h1>
<div class="intro">${renderMarkdown(document.info.description)}
<p>For machines: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p></div>
<p id="nothing" hidden>Nothing matches. Try fewer words.</p>
${sections.join('\n')}
</main>
<script>${pageScript}</script>
</body>
</html>
`;
}

const renderLink = ({ method, path, operation }: Call): string =>
  `<li data-for="${escapeHtml(operation.operationId)}"><a href="#${escapeHtml(operation.operationId)}" title="${escapeHtml(`${method.toUpperCase()} ${path}`)}"><span class="method ${method}">${method}</span> ${escapeHtml(operation.summary)}</a></li>`;
