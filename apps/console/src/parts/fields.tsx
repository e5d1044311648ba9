import { Button, Fieldset, Group, Stack, Text } from '@mantine/core';
import type { FieldProblem } from '@billing/domain';
import { useEffect, useRef } from 'react';
import { FieldInput } from './field-input.tsx';
import { initialOf, initialValues, rowsOf } from './values.ts';
import type { Field, RowsField, Values } from './values.ts';

type Props = {
  fields: readonly Field[];
  values: Values;
  problems: readonly FieldProblem[];
  onChange: (values: Values) => void;
  /** Side by side, as far as there is room. */
  isDense?: boolean;
};

/** The problems of what is below a path, with the rest of theirs. */
const below = (problems: readonly FieldProblem[], path: string): FieldProblem[] =>
  problems.flatMap((problem) =>
    problem.path.startsWith(`${path}.`) ? [{ ...problem, path: problem.path.slice(path.length + 1) }] : [],
  );

const descriptionOf = ({ description }: Field, values: Values): string | undefined =>
  typeof description === 'function' ? description(values) : description;

/** The inputs of an action that its values leave room for; problems of the API stand at the field that they name. */
export function FieldList({ fields, values, problems, onChange, isDense = false }: Props) {
  const shown = fields.filter(({ isShown }) => isShown?.(values) ?? true);
  const inputs = shown.map((field, index) => {
    const path = field.path ?? field.name;
    const own = problems.find((one) => one.path === path) ?? below(problems, path)[0];
    if (field.kind === 'rows')
      return <Rows key={field.name} field={field} values={values} problems={problems} onChange={onChange} />;
    return (
      <FieldInput
        key={field.name}
        field={field}
        description={descriptionOf(field, values)}
        isFirst={index === 0 && !isDense}
        value={values[field.name] ?? initialOf(field)}
        error={own?.message}
        onChange={(value) => onChange({ ...values, [field.name]: value })}
      />
    );
  });
  return isDense ? <div className="dense-fields">{inputs}</div> : <Stack gap="sm">{inputs}</Stack>;
}

type RowsProps = Omit<Props, 'fields' | 'isDense'> & { field: RowsField };

/** After one more of them was added, writing goes on in its first input. */
function useFocusOnAdded(count: number) {
  const list = useRef<HTMLDivElement>(null);
  const before = useRef(count);
  useEffect(() => {
    if (count > before.current) list.current?.lastElementChild?.querySelector('input')?.focus();
    before.current = count;
  }, [count]);
  return list;
}

/** Things with fields of their own: each can be taken away, and more can be added. */
function Rows({ field, values, problems, onChange }: RowsProps) {
  const rows = rowsOf(values, field.name);
  const add = useRef<HTMLButtonElement>(null);
  const list = useFocusOnAdded(rows.length);
  const path = field.path ?? field.name;
  const own = problems.find((one) => one.path === path);
  const change = (next: readonly Values[]): void => onChange({ ...values, [field.name]: next });
  return (
    <Fieldset legend={field.label} className="rows">
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {descriptionOf(field, values)}
        </Text>
        <Stack gap="sm" ref={list}>
          {rows.map((row, index) => (
            // What is added goes to the end, and every input shows its value: the place is a key.
            <Fieldset key={index} legend={field.rowName(row)} variant="filled" className="rows">
              <FieldList
                fields={field.fieldsOf(row)}
                values={row}
                problems={below(problems, `${path}.${index}`)}
                onChange={(next) => change(rows.with(index, next))}
                isDense
              />
              <Group justify="flex-end" mt="xs">
                <Button
                  variant="default"
                  size="xs"
                  aria-label={`Remove ${field.rowName(row)}`}
                  onClick={() => {
                    change(rows.toSpliced(index, 1));
                    // The button that had the focus is gone.
                    add.current?.focus();
                  }}
                >
                  Remove
                </Button>
              </Group>
            </Fieldset>
          ))}
        </Stack>
        {own === undefined ? null : (
          <Text size="sm" role="alert">
            {own.message}
          </Text>
        )}
        <Group>
          <Button
            ref={add}
            variant="default"
            size="xs"
            onClick={() => change([...rows, initialValues(field.fieldsOf({}))])}
          >
            {field.addLabel}
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}
