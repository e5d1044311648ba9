import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { endpoints } from '../app.ts';
import { renderDocuments } from './render-documents.ts';

// `npm run openapi`: writes what docs/ keeps of the API's description, relative to the working directory.
const { values } = parseArgs({ options: { folder: { type: 'string', default: 'docs' } } });
for (const [name, text] of Object.entries(renderDocuments(endpoints))) {
  await writeFile(`${values.folder}/${name}`, text);
  console.log(`${values.folder}/${name}`);
}
