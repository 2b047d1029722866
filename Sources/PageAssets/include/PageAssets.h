/// Style and scripts of pages, as strings of UTF-8 that end with 0.
///
/// The compiler of C copies files into the program (`#embed`, C23); a literal of bytes in Swift would take seconds for each.
#pragma once

/// What all pages look like.
const char *page_style(void);
/// One image, in its own page and opened in the browser's.
const char *view_style(void);
/// The browser.
const char *browse_style(void);
/// The report.
const char *report_style(void);
/// What all pages share.
const char *page_script(void);
/// One image with its crop box, in its own page and opened in the browser's.
const char *viewer_script(void);
/// The page of one image.
const char *view_script(void);
/// The browser.
const char *browse_script(void);
/// The report.
const char *report_script(void);
/// The page of two datasets.
const char *difference_script(void);
