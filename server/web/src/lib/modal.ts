import type { Attachment } from 'svelte/attachments';

/** Opens a dialog as a modal while it is in the page; closing it by any way (Esc, a click outside) is told. */
export function modal(onclose: () => void): Attachment<HTMLDialogElement> {
  return (dialog) => {
    dialog.showModal();
    const outside = (event: MouseEvent) => event.target === dialog && onclose();
    dialog.addEventListener('close', onclose);
    dialog.addEventListener('mousedown', outside);
    return () => {
      dialog.removeEventListener('close', onclose);
      dialog.removeEventListener('mousedown', outside);
    };
  };
}
