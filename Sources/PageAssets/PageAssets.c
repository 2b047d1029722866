#include "PageAssets.h"

// Package.swift has no word for C23, which clang takes from anybody.
#pragma clang diagnostic ignored "-Wc23-extensions"

const char *page_style(void) {
  static const char text[] = {
#embed "Files/page.css" suffix(, '\n',)
      0};
  return text;
}

const char *view_style(void) {
  static const char text[] = {
#embed "Files/view.css" suffix(, '\n',)
      0};
  return text;
}

const char *browse_style(void) {
  static const char text[] = {
#embed "Files/browse.css" suffix(, '\n',)
      0};
  return text;
}

const char *report_style(void) {
  static const char text[] = {
#embed "Files/report.css" suffix(, '\n',)
      0};
  return text;
}

const char *page_script(void) {
  static const char text[] = {
#embed "Files/elements.js" suffix(, '\n',)
#embed "Files/palette.js" suffix(, '\n',)
#embed "Files/factors.js" suffix(, '\n',)
#embed "Files/pooling.js" suffix(, '\n',)
#embed "Files/map.js" suffix(, '\n',)
      0};
  return text;
}

const char *viewer_script(void) {
  static const char text[] = {
#embed "Files/view-stage.js" suffix(, '\n',)
#embed "Files/view-crop.js" suffix(, '\n',)
#embed "Files/view-panels.js" suffix(, '\n',)
#embed "Files/view-controls.js" suffix(, '\n',)
#embed "Files/view.js" suffix(, '\n',)
      0};
  return text;
}

const char *view_script(void) {
  static const char text[] = {
#embed "Files/view-page.js" suffix(, '\n',)
      0};
  return text;
}

const char *browse_script(void) {
  static const char text[] = {
#embed "Files/server.js" suffix(, '\n',)
#embed "Files/tile.js" suffix(, '\n',)
#embed "Files/marks.js" suffix(, '\n',)
#embed "Files/detail.js" suffix(, '\n',)
#embed "Files/browse.js" suffix(, '\n',)
      0};
  return text;
}

const char *report_script(void) {
  static const char text[] = {
#embed "Files/charts.js" suffix(, '\n',)
#embed "Files/sheets.js" suffix(, '\n',)
#embed "Files/report.js" suffix(, '\n',)
#embed "Files/report-tables.js" suffix(, '\n',)
      0};
  return text;
}

const char *difference_script(void) {
  static const char text[] = {
#embed "Files/drawing.js" suffix(, '\n',)
#embed "Files/difference.js" suffix(, '\n',)
      0};
  return text;
}
