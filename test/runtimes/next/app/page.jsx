'use client';

import { useEffect } from 'react';

/** A component that reads the files when it is on the page. */
export default function Page() {
  useEffect(() => {
    import('../page.js');
  }, []);
  return <p>holostream</p>;
}
