/** Options of commands that train: where a training is saved on its way, and how it is stopped. */
package io.emtal.samples.resume;
