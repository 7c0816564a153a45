/**
 * Small colour images with several things to tell about each: a set for trying multi-task learning without any file.
 */
package io.emtal.samples.shapes;
