import {
  Autocomplete,
  Checkbox,
  Group,
  JsonInput,
  NumberInput,
  Select,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core';
import type { FieldProblem } from '@billing/domain';
import { fromLocalInput, toLocalInput } from './filters.tsx';

type Option = { value: string; label: string };

type Shared = { name: string; label: string; description?: string; isRequired?: boolean };
/** One input of an action. `suggest`: any text, with these offered. */
export type Field = Shared &
  (
    | { kind: 'text' | 'area' | 'number' | 'time' | 'json'; initial?: string }
    | { kind: 'switch'; initial?: boolean }
    | { kind: 'select'; options: readonly Option[]; initial?: string }
    | { kind: 'suggest'; options: readonly string[]; initial?: string }
    | { kind: 'checks'; options: readonly Option[]; initial?: readonly string[] }
  );

export type Value = string | boolean | readonly string[];
export type Values = Readonly<Record<string, Value>>;

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
export const chosenOf = (values: Values, name: string): readonly string[] => {
  const value = values[name];
  return typeof value === 'object' ? value : [];
};
/** One entry a line. */
export const linesOf = (values: Values, name: string): string[] =>
  textOf(values, name)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
export const jsonOf = (values: Values, name: string): unknown => {
  const text = textOf(values, name);
  return text === '' ? undefined : JSON.parse(text);
};

export function initialOf(field: Field): Value {
  if (field.kind === 'switch') return field.initial ?? false;
  return field.initial ?? (field.kind === 'checks' ? [] : '');
}

type Props = {
  field: Field;
  /** A dialog that opens with it has the focus there. */
  isFirst: boolean;
  value: Value;
  error: string | undefined;
  onChange: (value: Value) => void;
};

function ChoiceInput({ field, value, error, onChange }: Props) {
  const shared = { label: field.label, description: field.description, error };
  if (field.kind === 'switch')
    return (
      <Switch
        {...shared}
        checked={value === true}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    );
  if (field.kind === 'checks')
    return (
      <Checkbox.Group {...shared} value={typeof value === 'object' ? [...value] : []} onChange={onChange}>
        <Group mt="xs">
          {field.options.map((option) => (
            <Checkbox key={option.value} value={option.value} label={option.label} />
          ))}
        </Group>
      </Checkbox.Group>
    );
  if (field.kind !== 'select') return null;
  return (
    <Select
      {...shared}
      data={[...field.options]}
      value={typeof value === 'string' && value !== '' ? value : null}
      onChange={(chosen) => onChange(chosen ?? '')}
      allowDeselect={false}
      required={field.isRequired ?? false}
    />
  );
}

function FieldInput(props: Props) {
  const { field, isFirst, value, error, onChange } = props;
  const text = typeof value === 'string' ? value : '';
  const required = field.isRequired ?? false;
  const shared = {
    label: field.label,
    description: field.description,
    error,
    required,
    ...(isFirst ? { 'data-autofocus': true } : {}),
  };
  if (field.kind === 'area')
    return (
      <Textarea
        {...shared}
        autosize
        minRows={2}
        value={text}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      />
    );
  if (field.kind === 'json')
    return <JsonInput {...shared} autosize minRows={4} formatOnBlur value={text} onChange={onChange} />;
  if (field.kind === 'number')
    return (
      <NumberInput
        {...shared}
        value={text}
        onChange={(number) => onChange(String(number))}
        stepHoldDelay={500}
        stepHoldInterval={100}
      />
    );
  if (field.kind === 'suggest')
    return <Autocomplete {...shared} data={[...field.options]} value={text} onChange={onChange} />;
  if (field.kind === 'text' || field.kind === 'time')
    return (
      <TextInput
        {...shared}
        type={field.kind === 'time' ? 'datetime-local' : 'text'}
        value={field.kind === 'time' ? toLocalInput(text) : text}
        onChange={({ currentTarget }) =>
          onChange(field.kind === 'time' ? fromLocalInput(currentTarget.value) : currentTarget.value)
        }
      />
    );
  return <ChoiceInput {...props} />;
}

/** The inputs of an action; problems of the API stand at the field that they name. */
export function FieldList({
  fields,
  values,
  problems,
  onChange,
}: {
  fields: readonly Field[];
  values: Values;
  problems: readonly FieldProblem[];
  onChange: (values: Values) => void;
}) {
  return (
    <Stack gap="sm">
      {fields.map((field, index) => (
        <FieldInput
          key={field.name}
          field={field}
          isFirst={index === 0}
          value={values[field.name] ?? initialOf(field)}
          error={problems.find(({ path }) => path.split('.')[0] === field.name)?.message}
          onChange={(value) => onChange({ ...values, [field.name]: value })}
        />
      ))}
    </Stack>
  );
}
