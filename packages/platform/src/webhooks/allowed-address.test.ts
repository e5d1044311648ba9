import { isAllowedAddress, readNetwork } from './allowed-address.ts';

const networks = (...texts: string[]) => texts.map(readNetwork).filter((one) => one !== undefined);

test.each([
  ['93.184.216.34', true],
  ['2606:2800:220:1::1', true],
  ['127.0.0.1', false],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['172.31.255.255', false],
  ['192.168.0.1', false],
  ['100.64.0.1', false],
  ['169.254.169.254', false],
  ['192.0.2.1', false],
  ['198.18.0.1', false],
  ['198.51.100.7', false],
  ['203.0.113.7', false],
  ['192.88.99.1', false],
  ['224.0.0.1', false],
  ['240.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::7f00:1', false],
  ['::93.184.216.34', false],
  ['::ffff:93.184.216.34', true],
  ['::ffff:127.0.0.1', false],
  ['::ffff:7f00:1', false],
  ['64:ff9b::5db8:d822', true],
  ['64:ff9b::7f00:1', false],
  ['64:ff9b::a9fe:a9fe', false],
  ['64:ff9b:1::5db8:d822', false],
  ['2002:7f00:1::', false],
  ['2001::1', false],
  ['2001:db8::1', false],
  ['2001:2::1', false],
  ['3fff::1', false],
  ['fc00::1', false],
  ['fd00:ec2::254', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['fec0::1', false],
  ['ff02::1', false],
  ['4000::1', false],
  ['5f00::1', false],
  ['100::1', false],
  ['example.com', false],
  ['2130706433', false],
  ['0x7f.1', false],
  ['', false],
])('%s is public: %p', (address, isAllowed) => {
  expect(isAllowedAddress(address, [])).toBe(isAllowed);
});

test.each([
  ['10.1.2.3', ['10.0.0.0/8'], true],
  ['10.1.2.3', ['10.1.2.3'], true],
  ['10.1.2.3', ['10.1.2.4/32'], false],
  ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
  ['64:ff9b::a01:203', ['10.0.0.0/8'], true],
  ['64:ff9b:1::a01:203', ['64:ff9b:1::/48'], true],
  ['fd12::1', ['10.0.0.0/8', 'fd00::/8'], true],
  ['127.0.0.1', ['127.0.0.0/8'], true],
  ['::1', ['::1/128'], true],
])('%s with %p allowed: %p', (address, allowed, isAllowed) => {
  expect(isAllowedAddress(address, networks(...allowed))).toBe(isAllowed);
});

test.each([
  '169.254.169.254',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  'fd00:ec2::254',
  'fe80::1',
  '100.100.100.200',
])('%s is never called, whatever is allowed', (address) => {
  expect(isAllowedAddress(address, networks('0.0.0.0/0', '::/0'))).toBe(false);
});

test.each(['10.0.0.0/33', 'example.com', '10.0.0', '', '::/129'])('%p is no network', (text) => {
  expect(readNetwork(text)).toBeUndefined();
});
