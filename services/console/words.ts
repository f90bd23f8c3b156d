import type { ComponentChildren } from 'preact';
import { createContext, h } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { danish } from './words-da.ts';
import { english } from './words-en.ts';

export type Words = typeof danish;
type Language = 'da' | 'en';

interface Speech {
  readonly words: Words;
  readonly language: Language;
  readonly change: () => void;
}

const storeKey = 'skolebus-language';
const SpeechContext = createContext<Speech>({ words: danish, language: 'da', change: () => {} });

/** Danish, unless this browser was told otherwise. */
export function Speaking(p: { readonly children: ComponentChildren }) {
  const [language, setLanguage] = useState<Language>(
    localStorage.getItem(storeKey) === 'en' ? 'en' : 'da',
  );
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(storeKey, language);
  }, [language]);
  const speech: Speech = {
    words: language === 'en' ? english : danish,
    language,
    change: () => setLanguage(language === 'en' ? 'da' : 'en'),
  };
  return h(SpeechContext.Provider, { value: speech, children: p.children });
}

export function useWords(): Words {
  return useContext(SpeechContext).words;
}

export function useSpeech(): Speech {
  return useContext(SpeechContext);
}

/** The word for a code of the API; a code that is newer than the console stands for itself. */
export function wordFor(p: {
  readonly among: Readonly<Record<string, string>>;
  readonly code: string;
}): string {
  return Object.hasOwn(p.among, p.code) ? (p.among[p.code] ?? p.code) : p.code;
}
