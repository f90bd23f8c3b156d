import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCookies } from '../../services/drill/cookies.ts';
import { findLoginForm } from '../../services/drill/login-form.ts';

const page = 'https://id.example.test/realms/skole-test';

describe('the login form', () => {
  test("is found in Keycloak's page, its address without entities", () => {
    const html = `<form id="kc-form-login" onsubmit="login.disabled = true; return 1 > 0;"
      action="https://id.example.test/realms/skole-test/login-actions/authenticate?session_code=a&amp;execution=b&#38;tab_id=&#x63;" method="post" novalidate="novalidate">
      <input id="username" name="username" value="" type="text" autofocus>
      <input id="password" name="password" value="" type="password"/>
      <input type="hidden" id="id-hidden-input" name="credentialId" />
      <input type="HIDDEN" name='kept' value='a "b"'>
      <input type="checkbox" name="rememberMe"></form>`;
    expect(findLoginForm({ html, page })).toEqual({
      action:
        'https://id.example.test/realms/skole-test/login-actions/authenticate?session_code=a&execution=b&tab_id=c',
      hidden: { credentialId: '', kept: 'a "b"' },
    });
  });

  test('is the one with a password, not the search or the choice of language before it', () => {
    const html = `<form action="/search"><input name="q"></form>
      <FORM METHOD=post ACTION=/login><INPUT NAME=password TYPE=password></FORM>`;
    expect(findLoginForm({ html, page })).toEqual({
      action: 'https://id.example.test/login',
      hidden: {},
    });
  });

  test.each([
    ['no form', '<p>Please come back later</p>'],
    ['a form without a password', '<form action="/x"><input name="q"></form>'],
    ['a form that leads elsewhere', '<form action="//evil.test/x"><input name="password"></form>'],
    ['an address that is none', '<form action="https://[/x"><input name="password"></form>'],
  ])('is none: %s', (_, html) => {
    expect(findLoginForm({ html, page })).toBeNull();
  });

  test('is found again whatever its address holds', () => {
    fc.assert(
      fc.property(fc.webPath({ size: 'small' }), fc.webQueryParameters(), (path, query) => {
        const action = new URL(`https://id.example.test${path || '/'}?${query}`).href;
        const escaped = action.replaceAll('&', '&amp;').replaceAll("'", '&#39;');
        const html = `<form method='post' action='${escaped}'><input name=password></form>`;
        expect(findLoginForm({ html, page })?.action).toBe(action);
      }),
    );
  });

  test('never throws on wild text', () => {
    const bits = fc.constantFrom(
      '<form',
      ' action=',
      '"',
      "'",
      '>',
      '<input name=password',
      '&#x;',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(bits, fc.string()), { maxLength: 30 }), (parts) => {
        const form = findLoginForm({ html: parts.join(''), page });
        if (form !== null) expect(new URL(form.action).origin).toBe('https://id.example.test');
      }),
    );
  });
});

test('cookies are kept, replaced, and forgotten when the server takes them back', () => {
  const cookies = openCookies();
  expect(cookies.header()).toBe('');
  cookies.take(['A=1; Path=/; HttpOnly', 'B=x=y;Secure', 'C=3; Max-Age=60', 'no pair']);
  expect(cookies.header()).toBe('A=1; B=x=y; C=3');
  cookies.take(['A=2', 'B=; Max-Age=0', 'C=; Expires=Thu, 01 Jan 1970 00:00:10 GMT']);
  expect(cookies.header()).toBe('A=2');
});
