# Prints the ten best classes of a crop box (needs hdf5r, and pool.R beside it):
#   Rscript read_and_pool.R SHARD KEY TOP LEFT HEIGHT WIDTH [PROFILE]
Sys.setenv(HDF5_PLUGIN_PRELOAD = "::") # no filter plugins (section 16)
suppressPackageStartupMessages(library(hdf5r))
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
source(file.path(dirname(script), "pool.R"))

# Other values are refused (section 12.3).
known <- list(
  features_required = "none",
  score_kind = c("logit", "probability", "log_probability"),
  fill = c("zero", "uniform"),
  orientation = c("yx", "xy", "unknown"),
  encoding = c("fixed16", "fixed8", "float16", "float32")
)

# Class ids and decoded scores [rank, x, y] of an image (R reverses the axes), and what the attributes say of them.
read_map <- function(path, key) {
  shard <- H5File$new(path, mode = "r")
  about <- c(h5attributes(shard), h5attributes(shard[["score"]]))
  need(about$format == "relabel", path, " is not a shard of label maps")
  found <- paste0(path, ", format version ", about$format_version, ", written by ", about$writer)
  need(startsWith(about$format_version, "1."), found, ": this reader knows version 1")
  for (name in names(known)) {
    need(about[[name]] %in% known[[name]], found, ": ", name, " is ", about[[name]], ", unknown to this reader")
  }
  row <- match(key, shard[["image_key"]][])
  need(!is.na(row), "there is no image ", key, " in ", path)
  ids <- shard[["class_index"]][, , , row, drop = FALSE]
  stored <- shard[["score"]][, , , row, drop = FALSE]
  if ("map_extent" %in% names(shard)) about$map_extent <- shard[["map_extent"]][, row]
  need(max(ids) < about$num_classes, key, ": class id ", max(ids), " of ", about$num_classes)
  need(!any(apply(ids, 2:4, anyDuplicated)), key, ": a class id occurs twice in a cell")
  need(all(is.finite(stored)) && !any(stored == about[["_FillValue"]]), key, " was never written")
  score <- stored * c(about$scale_factor, 1)[1] + c(about$add_offset, 0)[1]
  shape <- dim(ids)[1:3]
  list(ids = array(ids, shape), score = array(score, shape), about = about)
}

arguments <- commandArgs(TRUE)
need(length(arguments) %in% 6:7, "usage: read_and_pool.R SHARD KEY TOP LEFT HEIGHT WIDTH [PROFILE]")
map <- read_map(arguments[1], arguments[2])
weights <- cell_weights(dim(map$ids), as.numeric(arguments[3:6]), c(arguments, "")[7], map$about)
target <- pool(map$ids, map$score, weights, map$about)
best <- head(order(-head(target, -1)), 10)
cat(sprintf("%d %.9g\n", best - 1L, target[best]), sep = "")
cat(sprintf("rest %.9g\n", tail(target, 1)))
