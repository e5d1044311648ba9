type Option = { value: string; label: string };

/** What was filled in, by the names of the fields. */
export type Values = { readonly [name: string]: Value };
export type Value = string | boolean | readonly (string | Values)[];

type Shared = {
  name: string;
  label: string;
  /** Words below the label; they may say what the values mean. */
  description?: string | ((values: Values) => string);
  isRequired?: boolean;
  /** Where the API's problems name the field by something else than its name. */
  path?: string;
  /** Whether the other values leave room for it; absent: always. */
  isShown?: (values: Values) => boolean;
};

/** Things that have fields of their own, such as the features of a product. */
export type RowsField = Shared & {
  kind: 'rows';
  /** The fields of one, by what is filled in already. */
  fieldsOf: (row: Values) => readonly Field[];
  /** What the button says that adds one. */
  addLabel: string;
  /** What one is called. */
  rowName: (row: Values) => string;
  initial?: readonly Values[];
};

/** One input. `suggest`: any text, with these offered. */
export type InputField = Shared &
  (
    | { kind: 'text' | 'area' | 'number' | 'time' | 'json'; initial?: string }
    | { kind: 'switch'; initial?: boolean }
    | { kind: 'select'; options: readonly Option[]; initial?: string }
    | { kind: 'suggest'; options: readonly string[]; initial?: string }
    | { kind: 'checks'; options: readonly Option[]; initial?: readonly string[] }
  );

export type Field = InputField | RowsField;

/** Values by what they are: an action's request is made of them. */
export const textOf = (values: Values, name: string): string => {
  const value = values[name];
  return typeof value === 'string' ? value.trim() : '';
};
/** Undefined where nothing is written. */
export const givenText = (values: Values, name: string): string | undefined =>
  textOf(values, name) === '' ? undefined : textOf(values, name);
export const givenNumber = (values: Values, name: string): number | undefined => {
  const text = textOf(values, name);
  return text === '' ? undefined : Number(text);
};
export const isOn = (values: Values, name: string): boolean => values[name] === true;

const listOf = (values: Values, name: string): readonly (string | Values)[] => {
  const value = values[name];
  return typeof value === 'object' ? value : [];
};
export const chosenOf = (values: Values, name: string): readonly string[] =>
  listOf(values, name).filter((one) => typeof one === 'string');
export const rowsOf = (values: Values, name: string): readonly Values[] =>
  listOf(values, name).filter((one) => typeof one !== 'string');

/** One entry a line. */
export const linesOf = (values: Values, name: string): string[] =>
  textOf(values, name)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Throws for what is no JSON, in words. */
export const jsonOf = (values: Values, name: string): unknown => {
  const text = textOf(values, name);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`This is not JSON: ${text}`);
  }
};

export function initialOf(field: Field): Value {
  if (field.kind === 'switch') return field.initial ?? false;
  return field.initial ?? (field.kind === 'checks' || field.kind === 'rows' ? [] : '');
}

/** What stands in the fields before anything is filled in. */
export const initialValues = (fields: readonly Field[]): Values =>
  Object.fromEntries(fields.map((field) => [field.name, initialOf(field)]));
