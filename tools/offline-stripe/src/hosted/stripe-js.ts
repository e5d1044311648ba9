/** What a page loads in place of https://js.stripe.com: `Stripe(key)` with the embedded checkout page, in a frame. */
export const stripeJs = `(() => {
  const origin = new URL(document.currentScript.src).origin;
  async function createEmbeddedCheckoutPage({ clientSecret, fetchClientSecret, onComplete }) {
    const secret = clientSecret ?? (await fetchClientSecret());
    const frame = document.createElement('iframe');
    frame.name = 'embedded-checkout';
    frame.title = 'Checkout';
    frame.src = origin + '/c/embed/' + encodeURIComponent(secret);
    frame.style = 'border:0;width:100%;min-height:40rem';
    const listen = ({ source, origin: sender, data }) => {
      if (source !== frame.contentWindow || sender !== origin || data?.type !== 'offline-stripe.completed') return;
      if (data.returnUrl === null) onComplete?.();
      else location.assign(data.returnUrl);
    };
    return {
      mount(target) {
        addEventListener('message', listen);
        (typeof target === 'string' ? document.querySelector(target) : target).append(frame);
      },
      unmount() {
        removeEventListener('message', listen);
        frame.remove();
      },
      destroy() {
        this.unmount();
      },
    };
  }
  window.Stripe = () => ({ createEmbeddedCheckoutPage, initEmbeddedCheckout: createEmbeddedCheckoutPage });
})();
`;
