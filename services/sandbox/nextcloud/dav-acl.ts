import { DavFault } from './dav-error.ts';
import type { AclRule } from './state.ts';

/** The rules of a PROPPATCH body; null when it sets something else. */
export function readAclList(body: string): readonly AclRule[] | null {
  const list = /<nc:acl-list\s*(?:\/>|>([\s\S]*?)<\/nc:acl-list>)/.exec(body);
  if (list === null) return null;
  const rules: AclRule[] = [];
  for (const [, rule = ''] of (list[1] ?? '').matchAll(/<nc:acl>([\s\S]*?)<\/nc:acl>/g)) {
    const field = (name: string) =>
      new RegExp(`<nc:acl-${name}>([^<]*)</nc:acl-${name}>`).exec(rule)?.[1] ?? '';
    const type = field('mapping-type');
    if (type !== 'group' && type !== 'user') {
      throw new DavFault(
        'RuntimeException',
        500,
        '{http://nextcloud.org/ns}acl-mapping-type does not have a valid value.',
      );
    }
    const id = unescapeXml(field('mapping-id'));
    rules.push({
      type,
      id,
      mask: Number(field('mask')),
      permissions: Number(field('permissions')),
    });
  }
  return rules;
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
