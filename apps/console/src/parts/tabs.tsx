import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';

export type Tab = readonly [name: string, label: string, content: ReactNode];

/** The tabs of a page. Which one is shown is in the address: `onChange` goes there. */
export function PageTabs({
  tabs,
  shown,
  onChange,
}: {
  tabs: readonly Tab[];
  shown: string;
  onChange: (tab: string) => void;
}) {
  return (
    <Tabs
      value={shown}
      onChange={(next) => {
        if (next !== null) onChange(next);
      }}
      keepMounted={false}
    >
      <Tabs.List mb="sm">
        {tabs.map(([name, label]) => (
          <Tabs.Tab key={name} value={name}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(([name, , content]) => (
        <Tabs.Panel key={name} value={name} className="tab">
          {content}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
