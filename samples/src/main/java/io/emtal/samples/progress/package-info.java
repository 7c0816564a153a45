/** Showing how a training gets on. */
package io.emtal.samples.progress;
