const day = (): string => new Date().toISOString().slice(0, 10);

/** Saves a text as a file of the viewer's, with the day in its name. */
export function saveFile(
  text: string,
  { name, ending, type }: { name: string; ending: string; type: string },
): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${name}-${day()}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
