// Package agg runs MongoDB's aggregation pipelines over BSON documents. Stages stream: each takes documents one by one
// from the one before. $sort, $group and the foreign side of $lookup must hold what they see, and are bounded together.
package agg
