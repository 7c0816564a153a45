/** The first program to run: EMTAL beside a trainer of Tribuo's own, on images that it draws itself. */
package io.emtal.samples.quickstart;
