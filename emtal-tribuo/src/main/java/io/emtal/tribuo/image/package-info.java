/**
 * Images as inputs: a data source over a CSV file that names them, {@link io.emtal.tribuo.image.ImageTable}, or
 * {@link io.emtal.tribuo.image.ImageTasks} where its tasks are of several kinds; examples that carry them by reference,
 * {@link io.emtal.tribuo.image.ImageExample}; and what becomes of them before a network reads them,
 * {@link io.emtal.tribuo.image.ImagePreprocessing} and {@link io.emtal.tribuo.image.ImageAugmentation}.
 *
 * <p>These five are stable; an {@link io.emtal.tribuo.image.ImageEncoder} comes and goes with its model.
 */
package io.emtal.tribuo.image;
