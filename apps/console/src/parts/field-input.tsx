import {
  Autocomplete,
  Checkbox,
  Group,
  JsonInput,
  NumberInput,
  Select,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core';
import { fromLocalInput, lastLocalInput, toLocalInput } from './filters.tsx';
import type { InputField, Value } from './values.ts';

type Props = {
  field: InputField;
  description: string | undefined;
  /** A dialog that opens with it has the focus there. */
  isFirst: boolean;
  value: Value;
  error: string | undefined;
  onChange: (value: Value) => void;
};

function ChoiceInput({ field, description, value, error, onChange }: Props) {
  const shared = { label: field.label, description, error };
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
      <Checkbox.Group
        {...shared}
        value={typeof value === 'object' ? value.filter((one) => typeof one === 'string') : []}
        onChange={onChange}
      >
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

/** The input of a field. */
export function FieldInput(props: Props) {
  const { field, description, isFirst, value, error, onChange } = props;
  const text = typeof value === 'string' ? value : '';
  const required = field.isRequired ?? false;
  const shared = {
    label: field.label,
    description,
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
    return <JsonInput {...shared} autosize minRows={2} formatOnBlur value={text} onChange={onChange} />;
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
        {...(field.kind === 'time' ? { max: lastLocalInput } : {})}
        value={field.kind === 'time' ? toLocalInput(text) : text}
        onChange={({ currentTarget }) =>
          onChange(field.kind === 'time' ? fromLocalInput(currentTarget.value) : currentTarget.value)
        }
      />
    );
  return <ChoiceInput {...props} />;
}
