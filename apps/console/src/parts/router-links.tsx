import { Anchor, Card, NavLink } from '@mantine/core';
import type { AnchorProps, CardProps, NavLinkProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentProps } from 'react';

type Plain<Props> = Props & Omit<ComponentProps<'a'>, keyof Props>;

/** Links of the console, whose address and parameters the compiler checks. */
export const AnchorLink = createLink((props: Plain<AnchorProps>) => <Anchor {...props} />);
export const CardLink = createLink((props: Plain<CardProps>) => <Card component="a" {...props} />);
export const NavigationLink = createLink((props: Plain<NavLinkProps>) => (
  <NavLink component="a" {...props} />
));
