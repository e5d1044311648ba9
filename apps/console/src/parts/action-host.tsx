import { Modal } from '@mantine/core';
import { useLocation } from '@tanstack/react-router';
import { createContext, use, useCallback, useEffect, useState } from 'react';
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

/** Holds the dialog of an action: what it is about may be gone from the page once it is done. */
export function ActionHost({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<{ action: Action; turn: number } | null>(null);
  const [isOpen, setOpen] = useState(false);
  const open = useCallback<Open>((action) => {
    setShown((before) => ({ action, turn: (before?.turn ?? 0) + 1 }));
    setOpen(true);
  }, []);
  const close = useCallback(() => setOpen(false), []);
  const { pathname } = useLocation();
  // A link in the dialog leads away from it.
  useEffect(close, [close, pathname]);
  return (
    <OpenContext value={open}>
      {children}
      <Modal.Root opened={isOpen} onClose={close} size="lg" transitionProps={{ duration: 0 }}>
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
