//! `site`: visits every page of a site by its links, two at a time, each page once. A page that is not there does not
//! end the visit.

use std::time::Duration;

use forloop::{AnyRuntime, NoRuntime, Outcome, Timer, WorkItem, WorkQueue};

/// The links on each page.
const PAGES: [(&str, &[&str]); 6] = [
    ("/", &["/news", "/about", "/"]),
    ("/news", &["/news/1", "/news/2", "/"]),
    ("/news/1", &["/news", "/about"]),
    ("/news/2", &["/news", "/news/3"]),
    ("/about", &["/team"]),
    ("/team", &["/about", "/"]),
];

/// The links on a page.
async fn fetch(runtime: &AnyRuntime, page: &str) -> Result<&'static [&'static str], String> {
    runtime.sleep(Duration::from_millis(100)).await;
    let found = PAGES.iter().find(|(path, _)| *path == page);
    found.map(|&(_, links)| links).ok_or_else(|| format!("{page}: not found"))
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        let pages = WorkQueue::new(["/"]).unique_by(|&page| page);
        let visited = forloop::each_stream(pages)
            .limit(2)
            .expect("two is not zero")
            .settle(async |page: WorkItem<&'static str>| {
                let links = fetch(&runtime, *page).await?;
                for link in links {
                    page.push(link);
                }
                Ok::<_, String>(*page)
            })
            .await;
        println!("{}", visited.summary());
        let mut lines: Vec<_> = visited
            .into_iter()
            .filter_map(Outcome::returned)
            .map(|page| page.map_or_else(|error| error, str::to_owned))
            .collect();
        lines.sort();
        for line in lines {
            println!("{line}");
        }
        println!("Main done");
    })
}
