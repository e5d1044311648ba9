import { Modal } from '@mantine/core';
import { useLocation } from '@tanstack/react-router';
import { createContext, use, useCallback, useState } from 'react';
import type { ReactNode } from 'react';
import { ActionSteps } from './action-steps.tsx';
import type { Action } from './action-type.ts';

type Open = (action: Action) => void;
const OpenContext = createContext<Open | null>(null);

/** What opens the dialog of an action, below `ActionHost`. */
export function useOpenAction(): Open {
  const open = use(OpenContext);
  if (open === null) throw new Error('useOpenAction is for what ActionHost shows.');
  return open;
}

/**
 * Holds the dialog of an action: what it is about may be gone from the page once it is done. A link in the dialog leads
 * away from it.
 */
export function ActionHost({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<{ action: Action; turn: number; at: string } | null>(null);
  const [isOpen, setOpen] = useState(false);
  const { pathname } = useLocation();
  const open = useCallback<Open>(
    (action) => {
      setShown((before) => ({ action, turn: (before?.turn ?? 0) + 1, at: pathname }));
      setOpen(true);
    },
    [pathname],
  );
  const close = useCallback(() => setOpen(false), []);
  return (
    <OpenContext value={open}>
      {children}
      <Modal.Root
        opened={isOpen && shown?.at === pathname}
        onClose={close}
        size="lg"
        transitionProps={{ duration: 0 }}
      >
        <Modal.Overlay />
        <Modal.Content>
          {/* As a header it would be a landmark beside that of the page. */}
          <Modal.Header role="presentation">
            <Modal.Title>{shown?.action.title}</Modal.Title>
            <Modal.CloseButton aria-label="Close" />
          </Modal.Header>
          <Modal.Body>
            {shown === null ? null : <ActionSteps key={shown.turn} action={shown.action} close={close} />}
          </Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </OpenContext>
  );
}
