/** Tribuo's features as rows of floats for a network. */
package io.emtal.tribuo.input;
