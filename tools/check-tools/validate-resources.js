// Reads rendered YAML of Kubernetes from standard input, validates each resource against the schemas of `kubernetes-models`,
// writes it as TypeScript into resources.ts for the compiler, which also knows fields that do not exist, and prints all as
// JSON. Is copied beside those packages and runs there.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

const packageOf = {
  'keda.sh/v1alpha1': '@kubernetes-models/keda/keda.sh/v1alpha1',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};

const resources = parseAllDocuments(readFileSync(0, 'utf8')).flatMap((document) => {
  if (document.errors.length > 0) throw document.errors[0];
  const resource = document.toJS();
  return resource === null ? [] : [resource];
});

const lines = [];
for (const [index, resource] of resources.entries()) {
  const { apiVersion, kind, metadata } = resource;
  const source = packageOf[apiVersion] ?? `kubernetes-models/${apiVersion}`;
  const { [kind]: Model } = await import(source);
  if (Model === undefined) throw new Error(`${source} has no ${kind}`);
  try {
    new Model(resource).validate();
  } catch (error) {
    throw new Error(`${kind} ${metadata?.name}: ${error.message}`, { cause: error });
  }
  lines.push(
    `import type { I${kind} as Type${index} } from '${source}';`,
    `export const resource${index}: Type${index} = ${JSON.stringify(resource, null, 2)};`,
  );
}
writeFileSync('resources.ts', `${lines.join('\n')}\n`);
console.log(JSON.stringify(resources));
