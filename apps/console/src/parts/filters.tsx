import { Button, Group, Select, TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { SyntheticEvent } from 'react';
import type { Search } from '../app/search.ts';

/** A field of a list's query, kept in the address under the same name. `options`: it is one of them. */
export type Filter = { name: string; label: string; options?: readonly string[]; isTime?: boolean };

/** The filters of the address. */
export const useFilters = (): Search => useSearch({ strict: false });

/** A moment as `<input type="datetime-local">` has it, in the viewer's zone. */
export function toLocalInput(at: string | undefined): string {
  if (at === undefined || Number.isNaN(Date.parse(at))) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
/** Of a text that is no moment, such as one of a year of five digits: none. */
export const fromLocalInput = (text: string): string => {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
};
/** Years have four digits. */
export const lastLocalInput = '9999-12-31T23:59';

type FieldProps = { filter: Filter; value: string; onChange: (value: string) => void };

function FilterField({ filter, value, onChange }: FieldProps) {
  const { label, options, isTime = false } = filter;
  if (options !== undefined)
    return (
      <Select
        label={label}
        data={[...options]}
        value={value === '' ? null : value}
        onChange={(chosen) => onChange(chosen ?? '')}
        clearable
        clearButtonProps={{ 'aria-label': `Clear ${label}` }}
      />
    );
  return (
    <TextInput
      label={label}
      type={isTime ? 'datetime-local' : 'text'}
      {...(isTime ? { max: lastLocalInput } : {})}
      value={isTime ? toLocalInput(value) : value}
      onChange={({ currentTarget }) =>
        onChange(isTime ? fromLocalInput(currentTarget.value) : currentTarget.value)
      }
    />
  );
}

/** Filters whose values are in the address. */
export function Filters({ of }: { of: readonly Filter[] }) {
  const search = useFilters();
  // Another address (a link, the way back) shows its own values.
  return <FilterForm key={JSON.stringify(search)} of={of} search={search} />;
}

function FilterForm({ of, search }: { of: readonly Filter[]; search: Search }) {
  const navigate = useNavigate();
  const [values, setValues] = useState(search);
  const go = (next: Search): void => {
    const given = Object.entries(next).filter(([, value]) => value !== '');
    void navigate({ to: '.', search: Object.fromEntries(given) });
  };
  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    go(values);
  }
  const isFiltered = of.some(({ name }) => (search[name] ?? '') !== '');
  const cleared = Object.fromEntries(of.map(({ name }) => [name, '']));
  return (
    <form onSubmit={submit} aria-label="Filters">
      <Group align="flex-end" gap="xs" className="filters">
        {of.map((filter) => (
          <FilterField
            key={filter.name}
            filter={filter}
            value={values[filter.name] ?? ''}
            onChange={(value) => {
              const next = { ...values, [filter.name]: value };
              setValues(next);
              if (filter.options !== undefined) go(next);
            }}
          />
        ))}
        <Button type="submit" variant="default">
          Apply
        </Button>
        {isFiltered ? (
          <Button variant="subtle" onClick={() => go({ ...search, ...cleared })}>
            Clear
          </Button>
        ) : null}
      </Group>
    </form>
  );
}
