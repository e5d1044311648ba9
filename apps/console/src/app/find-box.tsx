import { Kbd, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { SyntheticEvent } from 'react';

/** The one box for every id. `/` leads to it from anywhere. */
export function FindBox() {
  const input = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const [text, setText] = useState('');
  useHotkeys([
    [
      '/',
      () => {
        // What is behind a dialog cannot be used.
        if (document.querySelector('[role=dialog][aria-modal=true]') === null) input.current?.focus();
      },
    ],
  ]);

  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    const q = text.trim();
    if (q === '') return;
    setText('');
    void navigate({ to: '/find', search: { q } });
  }
  return (
    <form role="search" onSubmit={submit} className="find">
      <TextInput
        ref={input}
        type="search"
        aria-label="Find a user, a Stripe object, an event or a key by its id"
        placeholder="Find by id"
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        rightSection={<Kbd aria-hidden>/</Kbd>}
      />
    </form>
  );
}
