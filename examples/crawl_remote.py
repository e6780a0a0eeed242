"""crawl_remote [options of crawl]: the crawl. asyncio has no workers in other processes, so this one fetches all pages."""

import asyncio

import crawl

asyncio.run(crawl.main())
